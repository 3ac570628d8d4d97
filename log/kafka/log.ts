import { randomUUID } from 'node:crypto';
import { checkAppend, unknownTopic } from '../append.ts';
import { logFault } from '../errors.ts';
import type {
  Checkpoint,
  Cursors,
  Ends,
  EventLog,
  LoggedEvent,
  LogWriter,
  NewEvent,
  ReadOptions,
  Topics,
} from '../types.ts';
import { identify } from './identity.ts';
import { FIRST_PATIENCE_MS, patiently } from './patience.ts';
import { lastOf, Producer } from './producer.ts';
import { readFrom } from './read.ts';
import { toLoads } from './records.ts';
import type { KafkaSettings } from './settings.ts';
import { lastCommitted, visible } from './stand.ts';
import { checkpointTopic, ensureTopics, IDENTITY_TOPIC, wantedTopics } from './topics.ts';
import { Wire } from './wire.ts';
import { CHECKPOINT, KafkaWriter, toCheckpoint } from './writer.ts';

export interface KafkaLogOptions extends KafkaSettings {
  topics: Topics;
  /** Every writer id there will ever be. */
  writers: readonly string[];
}

/** The log on a Kafka cluster: appended to and read by processes on any number of machines. */
export function openKafkaLog(options: KafkaLogOptions): EventLog {
  return new KafkaLog(options);
}

interface Known {
  /** Where to look for newer ones. */
  next: number;
  newest: Checkpoint | undefined;
}

class KafkaLog implements EventLog {
  readonly #options: KafkaLogOptions;
  readonly #prefix: string;
  readonly #where: string;
  readonly #checkpoints = new Map<string, Promise<Known>>();
  #wire: Promise<Wire> | undefined;
  #producer: Producer | undefined;
  #lastPost: Promise<unknown> = Promise.resolve();
  #prepared: Promise<unknown> | undefined;
  readonly #closed = new AbortController();

  constructor(options: KafkaLogOptions) {
    this.#options = options;
    this.#prefix = options.prefix ?? '';
    this.#where = options.brokers.join(',');
  }

  async identity(): Promise<string> {
    return this.#try((wire) => identify(wire, this.#prefix, randomUUID()));
  }

  async writer(id: string, signal?: AbortSignal): Promise<LogWriter> {
    this.#known(id);
    await this.#prepare();
    const { topics } = this.#options;
    const open = async () => KafkaWriter.open({ id, wire: await this.#open(), prefix: this.#prefix, topics });
    return patiently(this.#where, open, { signal: this.#orClosed(signal) });
  }

  async post(events: readonly NewEvent[]): Promise<void> {
    checkAppend(events);
    const loads = toLoads(events, { prefix: this.#prefix, topics: this.#options.topics }, '', {});
    if (loads.length > 1) {
      throw logFault('BNY-LOG-UNKNOWN-TOPIC', {
        found: 'a post to several partitions',
        needed: 'one, as only that is atomic',
      });
    }
    // Again means the same again: the broker knows by their sequence numbers what it has written already.
    const post = this.#lastPost.then(() =>
      this.#try(async (wire) => {
        this.#producer ??= await Producer.open(wire);
        const placed = await this.#producer.send(loads, wire);
        await visible(wire, placed.map(lastOf));
      }),
    );
    this.#lastPost = post.catch(() => {
      // It may still come to stand in the log; what is posted next must not be taken for it.
      this.#producer = undefined;
    });
    return post;
  }

  async *read(from: Cursors, options: ReadOptions = {}): AsyncIterable<LoggedEvent[]> {
    for (const topic of Object.keys(from)) this.#partitionsOf(topic);
    await this.#prepare();
    const { topics, writers } = this.#options;
    const wakers = writers.map((writer) => checkpointTopic(this.#prefix, writer));
    const open = () => this.#open();
    const ending = { ...options, signal: this.#orClosed(options.signal) };
    yield* readFrom({ open, where: this.#where, prefix: this.#prefix, topics, wakers, from, options: ending });
  }

  async ends(topics: readonly string[]): Promise<Ends> {
    const places = topics.flatMap((topic) =>
      Array.from({ length: this.#partitionsOf(topic) }, (_, partition) => ({ topic: this.#prefix + topic, partition })),
    );
    return this.#try(async (wire) => {
      const stable = await wire.offsets(places, 'stable');
      const ends: Ends = {};
      for (const [i, place] of places.entries()) {
        const last = await lastCommitted(wire, place, stable[i] ?? 0);
        const topic = place.topic.slice(this.#prefix.length);
        ends[topic] = [...(ends[topic] ?? []), last?.offset ?? -1];
      }
      return ends;
    });
  }

  /** One at a time for each writer: a later call must not answer with an older one. */
  async checkpoint(writer: string): Promise<Checkpoint | undefined> {
    this.#known(writer);
    const before = this.#checkpoints.get(writer);
    const known = (async () =>
      this.#try(async (wire) => this.#newest(wire, writer, await before?.catch(() => undefined))))();
    this.#checkpoints.set(writer, known);
    return (await known).newest;
  }

  /** Also ends the readers, and every wait for a cluster that is away. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('the log is closed'));
    const wire = await this.#wire?.catch(() => undefined);
    this.#wire = undefined;
    await wire?.close();
  }

  async #newest(wire: Wire, writer: string, known: Known | undefined): Promise<Known> {
    const place = { topic: checkpointTopic(this.#prefix, writer), partition: 0 };
    const isCheckpoint = ({ key }: { key: Buffer | null }) => key?.toString() === CHECKPOINT;
    if (!known) {
      const [stable = 0] = await wire.offsets([place], 'stable');
      const last = await lastCommitted(wire, place, stable, isCheckpoint);
      return { next: stable, newest: last?.value ? toCheckpoint(JSON.parse(last.value.toString())) : undefined };
    }
    for (let { next, newest } = known; ; ) {
      const [part] = await wire.fetch([{ ...place, from: next }], { waitMs: 0, bytes: 1_000_000 });
      const last = part?.records.findLast(isCheckpoint);
      if (last?.value) newest = toCheckpoint(JSON.parse(last.value.toString()));
      if (!part || part.next === next || part.next >= part.stable) return { next: part?.next ?? next, newest };
      next = part.next;
    }
  }

  #partitionsOf(topic: string): number {
    const options = this.#options.topics[topic];
    if (!options) throw unknownTopic(topic);
    return options.partitions ?? 1;
  }

  #known(writer: string): void {
    if (!this.#options.writers.includes(writer)) throw unknownTopic(checkpointTopic(this.#prefix, writer));
  }

  /** On the wire that all share but readers and writers; after an error there is a new one. */
  async #try<T>(action: (wire: Wire) => Promise<T>): Promise<T> {
    await this.#prepare();
    const attempt = async () => {
      this.#wire ??= this.#open();
      const opened = this.#wire;
      try {
        return await action(await opened);
      } catch (error) {
        if (this.#wire === opened) this.#wire = undefined;
        await (await opened.catch(() => undefined))?.close();
        throw error;
      }
    };
    return patiently(this.#where, attempt, { signal: this.#closed.signal });
  }

  #orClosed(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#closed.signal]) : this.#closed.signal;
  }

  async #open(): Promise<Wire> {
    this.#closed.signal.throwIfAborted();
    const { topics, writers } = this.#options;
    const names = [
      ...[...Object.keys(topics), IDENTITY_TOPIC].map((topic) => this.#prefix + topic),
      ...writers.map((writer) => checkpointTopic(this.#prefix, writer)),
    ];
    return Wire.open(this.#options, names);
  }

  async #prepare(): Promise<void> {
    const make = () => ensureTopics(this.#options, wantedTopics(this.#options));
    const patience = { signal: this.#closed.signal, patienceMs: FIRST_PATIENCE_MS };
    this.#prepared ??= patiently(this.#where, make, patience);
    try {
      await this.#prepared;
    } catch (error) {
      this.#prepared = undefined;
      throw error;
    }
  }
}
