import { checkAppend } from '../append.ts';
import { logFault } from '../errors.ts';
import type { Checkpoint, Ends, LogWriter, NewEvent, Topics } from '../types.ts';
import { kafkaFault } from './fault.ts';
import { type Load, lastOf, type Placed, Producer, placeName } from './producer.ts';
import { toLoads } from './records.ts';
import { lastCommitted, visible } from './stand.ts';
import { checkpointTopic } from './topics.ts';
import type { Wire } from './wire.ts';

/** What a checkpoint's record holds beside the checkpoint. */
interface Stored extends Checkpoint {
  /** Topic → number of events that this writer id has appended to it. */
  sequences: Record<string, number>;
}

/** An append that is to go into a transaction. */
interface Waiting {
  loads: Load[];
  state: unknown;
  /** Behind it. */
  sequences: Record<string, number>;
  resolve(checkpoint: Checkpoint): void;
  reject(error: unknown): void;
}

/** Appends in one transaction: each costs a few round trips, however many events it holds. */
const MAX_GROUP = 8;
const CHECKPOINT = 'checkpoint';
const FENCE = 'fence';

export interface KafkaWriterOptions {
  id: string;
  wire: Wire;
  prefix: string;
  topics: Topics;
}

/**
 * A writer is a transactional producer and a topic of its own for its checkpoints, one partition, compacted. To open it:
 * take the transactional id, which fences older producers and ends what they left open; commit a fence record; wait until
 * that can be read. Then the newest checkpoint before it is the last there is, and no other can come.
 */
export class KafkaWriter implements LogWriter {
  readonly id: string;
  readonly generation: number;
  readonly #options: KafkaWriterOptions;
  readonly #producer: Producer;
  readonly #sequences: Record<string, number>;
  #stored: Stored | undefined;
  readonly #waiting: Waiting[] = [];
  #committing: Promise<void> | undefined;
  /** After an append that fails all others fail with its error. */
  #failure: { error: unknown } | undefined;

  private constructor(options: KafkaWriterOptions, producer: Producer, generation: number, stored: Stored | undefined) {
    this.id = options.id;
    this.generation = generation;
    this.#options = options;
    this.#producer = producer;
    this.#stored = stored;
    this.#sequences = { ...stored?.sequences };
  }

  /** @throws BNY-LOG-HUNG, BNY-LOG-UNREACHABLE, BNY-LOG-ANOTHER */
  static async open(options: KafkaWriterOptions): Promise<KafkaWriter> {
    const { id, wire, prefix } = options;
    const place = { topic: checkpointTopic(prefix, id), partition: 0 };
    try {
      const producer = await Producer.open(wire, `${prefix}${id}`);
      await producer.begin([place]);
      const [fence] = await producer.send([{ ...place, messages: [message(FENCE, {})] }]);
      await producer.end('commit');
      const generation = (fence as Placed).firstOffset;
      await visible(wire, [{ ...place, offset: generation }]);
      const newest = await lastCommitted(wire, place, generation, ({ key }) => key?.toString() === CHECKPOINT);
      const stored = newest?.value ? (JSON.parse(newest.value.toString()) as Stored) : undefined;
      if (stored) await sameTopics(wire, prefix, stored.ends);
      return new KafkaWriter(options, producer, generation, stored);
    } catch (error) {
      await wire.close();
      throw kafkaFault(error, wire.where);
    }
  }

  get checkpoint(): Checkpoint | undefined {
    return toCheckpoint(this.#stored);
  }

  append(events: readonly NewEvent[], state: unknown): Promise<Checkpoint> {
    const { promise, resolve, reject } = Promise.withResolvers<Checkpoint>();
    // Whoever asked for it hears of its failure.
    promise.catch(() => undefined);
    try {
      if (this.#failure) throw this.#failure.error;
      checkAppend(events);
      const loads = toLoads(events, this.#options, this.id, this.#sequences);
      this.#waiting.push({ loads, state, sequences: { ...this.#sequences }, resolve, reject });
      this.#committing ??= this.#commitAll();
    } catch (error) {
      this.#failure ??= { error };
      reject(error);
    }
    return promise;
  }

  async close(): Promise<void> {
    await this.#committing;
    await this.#options.wire.close();
  }

  /** One transaction after the other, each of what has come to wait during the one before. */
  async #commitAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, MAX_GROUP);
      try {
        const checkpoints = await this.#commit(group);
        for (const [i, checkpoint] of checkpoints.entries()) group[i]?.resolve(checkpoint);
      } catch (error) {
        this.#failure = { error };
        for (const { reject } of [...group, ...this.#waiting.splice(0)]) reject(error);
      }
    }
    this.#committing = undefined;
  }

  async #commit(group: readonly Waiting[]): Promise<Checkpoint[]> {
    const { wire, prefix, id } = this.#options;
    const own = { topic: checkpointTopic(prefix, id), partition: 0 };
    let decided = false;
    try {
      await this.#producer.begin([...group.flatMap(({ loads }) => loads), own]);
      const written: Stored[] = [];
      const ends = new Map<string, ReturnType<typeof lastOf>>();
      for (const { loads, state, sequences } of group) {
        const placed = loads.length === 0 ? [] : await this.#producer.send(loads);
        const before = written.at(-1) ?? this.#stored;
        const number = (before?.number ?? 0) + 1;
        written.push({ number, generation: this.generation, state, ends: this.#endsAfter(before, placed), sequences });
        for (const load of placed) ends.set(placeName(load), lastOf(load));
      }
      const stored = written.at(-1) as Stored;
      const [checkpoint] = await this.#producer.send([{ ...own, messages: [checkpointMessage(stored)] }]);
      decided = true;
      await this.#producer.end('commit');
      await visible(wire, [...ends.values(), lastOf(checkpoint as Placed)]);
      this.#stored = stored;
      return written.map((each) => toCheckpoint(each) as Checkpoint);
    } catch (error) {
      // So that readers need not wait for its time-out. After the commit was asked for, its outcome is the log's.
      if (!decided) await this.#producer.end('abort').catch(() => undefined);
      throw kafkaFault(error, wire.where);
    }
  }

  /** @throws BNY-LOG-ANOTHER when a topic has become shorter than it was: it is not the one of before */
  #endsAfter(before: Stored | undefined, placed: readonly Placed[]): Ends {
    const { prefix, topics } = this.#options;
    const ends = structuredClone(before?.ends ?? {});
    for (const load of placed) {
      const topic = load.topic.slice(prefix.length);
      const known = ends[topic] ?? Array.from({ length: topics[topic]?.partitions ?? 1 }, () => -1);
      ends[topic] = known;
      const last = known[load.partition] ?? -1;
      if (load.firstOffset <= last) throw shorter(load.topic, load.partition, load.firstOffset, last);
      known[load.partition] = lastOf(load).offset;
    }
    return ends;
  }
}

export function checkpointMessage(stored: Stored) {
  return message(CHECKPOINT, stored);
}

function message(key: string, value: object) {
  return { key, value: JSON.stringify(value), headers: {} };
}

async function sameTopics(wire: Wire, prefix: string, ends: Ends): Promise<void> {
  const places = Object.entries(ends).flatMap(([topic, offsets]) =>
    offsets.map((end, partition) => ({ topic: prefix + topic, partition, end })),
  );
  const stable = await wire.offsets(places, 'stable');
  for (const [i, { topic, partition, end }] of places.entries()) {
    if ((stable[i] ?? 0) <= end) throw shorter(topic, partition, (stable[i] ?? 0) - 1, end);
  }
}

function shorter(topic: string, partition: number, found: number, needed: number) {
  return logFault('BNY-LOG-ANOTHER', {
    found: `${topic} partition ${partition} goes on at offset ${found}`,
    needed: `behind ${needed}, up to which the checkpoint says that it was written`,
    cure: 'The topic was deleted and made anew, or lost its end. Start with a new log (another `log.prefix`) and seed again.',
  });
}

export function toCheckpoint(stored: Checkpoint | undefined): Checkpoint | undefined {
  if (!stored) return undefined;
  const { number, generation, state, ends } = stored;
  return { number, generation, state, ends };
}

export { CHECKPOINT };
