import { type LogWriter, MAX_APPEND_BYTES, MAX_APPEND_EVENTS, type NewEvent } from '../../log/index.ts';
import { cdcFault } from '../errors.ts';
import type { EmitterState } from './state.ts';

/** So that a slow append, at a checkpoint of the log, say, does not hold up whoever makes the events. */
const UNDER_WAY = 4;

/**
 * Gathers the events of finished parts and appends them with the state they lead to. Never waits for more: whoever
 * feeds it calls `send` when nothing else has arrived. A few appends may be under way while the next is gathered.
 */
export class Appender {
  readonly #writer: LogWriter;
  readonly #onFailure: () => void;
  #events: NewEvent[] = [];
  #bytes = 0;
  #dirty = false;
  #state: EmitterState;
  readonly #underWay: Promise<unknown>[] = [];

  /** @param onFailure called when an append fails; from then on every method throws its error */
  constructor(writer: LogWriter, state: EmitterState, onFailure: () => void) {
    this.#writer = writer;
    this.#state = state;
    this.#onFailure = onFailure;
  }

  /** The state after everything that was added, appended or not. */
  get state(): EmitterState {
    return this.#state;
  }

  /**
   * Adds what leads to `next`. Appends on the way whenever an append is full.
   *
   * @param quiet without events, it need not be told before something else is
   */
  async add(events: readonly NewEvent[], next: EmitterState, quiet = false): Promise<void> {
    for (let i = this.#alreadyAppended(events); i < events.length; i++) {
      const event = events[i] as NewEvent;
      if (this.#events.length === MAX_APPEND_EVENTS || this.#bytes + event.data.length > MAX_APPEND_BYTES) {
        const lastId = events[i - 1]?.id;
        await this.#append(lastId === undefined ? this.#state : { ...this.#state, partial: { count: i, lastId } });
      }
      this.#events.push(event);
      this.#bytes += event.data.length;
    }
    // What yields nothing is not the unfinished part: after a rotation, say, an empty transaction comes before it.
    this.#state = { ...next, partial: events.length === 0 ? this.#state.partial : undefined };
    this.#dirty ||= events.length > 0 || !quiet;
  }

  /** Adds what is no part of the stream and must not be torn apart: it goes into one append. */
  async addWhole(events: readonly NewEvent[], next: EmitterState): Promise<void> {
    const bytes = events.reduce((sum, event) => sum + event.data.length, 0);
    if (this.#events.length + events.length > MAX_APPEND_EVENTS || this.#bytes + bytes > MAX_APPEND_BYTES) {
      await this.send();
    }
    this.#events.push(...events);
    this.#bytes += bytes;
    this.#state = { ...next, partial: this.#state.partial };
    this.#dirty = true;
  }

  /** Appends what has been added, without waiting until it is in the log. */
  async send(): Promise<void> {
    if (this.#dirty) await this.#append(this.#state);
    this.#dirty = false;
  }

  /** Returns when everything that was added is in the log. */
  async flush(): Promise<void> {
    await this.send();
    await Promise.all(this.#underWay.splice(0));
  }

  async #append(state: EmitterState): Promise<void> {
    if (this.#underWay.length === UNDER_WAY) await this.#underWay.shift();
    const append = this.#writer.append(this.#events, state);
    append.catch(this.#onFailure);
    this.#underWay.push(append);
    this.#events = [];
    this.#bytes = 0;
  }

  /** After a crash inside a part: how many of its events stand in the log already. */
  #alreadyAppended(events: readonly NewEvent[]): number {
    const { partial } = this.#state;
    if (!partial || events.length === 0) return 0;
    if (events[partial.count - 1]?.id !== partial.lastId) {
      throw cdcFault('BNY-CDC-CAPTURE-CHANGED', {
        found: `event ${events[partial.count - 1]?.id ?? 'missing'} as number ${partial.count}`,
        needed: `event ${partial.lastId}, which stands in the log`,
      });
    }
    return partial.count;
  }
}
