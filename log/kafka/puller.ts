import type { Broker } from 'kafkajs/src/broker/index.js';
import { type Fetched, fetchFrom, type Wanted } from './fetch.ts';
import type { Wire } from './wire.ts';

/** The broker answers as soon as there is something; this is how long it waits for that. */
const WAIT_MS = 1000;
const FETCH_BYTES = 4_000_000;

/** Keeps one fetch under way with every broker that leads a wanted partition, so that a quiet one holds up no other. */
export class Puller {
  readonly wire: Wire;
  readonly #aborted: Promise<undefined>;
  readonly #closed = new AbortController();
  readonly #underWay = new Map<Broker, Promise<{ broker: Broker; fetched: Fetched[] }>>();

  constructor(wire: Wire, signal: AbortSignal | undefined) {
    this.wire = wire;
    this.#aborted = new Promise((resolve) => {
      if (signal?.aborted) resolve(undefined);
      signal?.addEventListener('abort', () => resolve(undefined), { signal: this.#closed.signal });
    });
  }

  /** The next answer of any broker; nothing when the signal aborts first. */
  async next(wanted: readonly Wanted[]): Promise<Fetched[]> {
    for (const [broker, own] of await this.wire.byLeader(wanted)) {
      if (this.#underWay.has(broker)) continue;
      const fetch = fetchFrom(broker, own, { waitMs: WAIT_MS, bytes: FETCH_BYTES }).then((fetched) => ({
        broker,
        fetched,
      }));
      // Heard of when it is awaited; until then it must not count as unheard.
      fetch.catch(() => undefined);
      this.#underWay.set(broker, fetch);
    }
    const done = await Promise.race([this.#aborted, ...this.#underWay.values()]);
    if (!done) return [];
    this.#underWay.delete(done.broker);
    return done.fetched;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.wire.close();
  }
}
