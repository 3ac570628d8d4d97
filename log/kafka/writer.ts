import { checkAppend } from '../append.ts';
import { logFault } from '../errors.ts';
import type { Checkpoint, Ends, LogWriter, NewEvent, Topics } from '../types.ts';
import { kafkaFault } from './fault.ts';
import { lastOf, type Placed, Producer } from './producer.ts';
import { toLoads } from './records.ts';
import { lastCommitted, visible } from './stand.ts';
import { checkpointTopic } from './topics.ts';
import type { Wire } from './wire.ts';

/** What a checkpoint's record holds beside the checkpoint. */
interface Stored extends Checkpoint {
  /** Topic → number of events that this writer id has appended to it. */
  sequences: Record<string, number>;
}

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
  #stored: Stored | undefined;
  /** Appends are carried out one after the other; after one that fails all others fail with its error. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: KafkaWriterOptions, producer: Producer, generation: number, stored: Stored | undefined) {
    this.id = options.id;
    this.generation = generation;
    this.#options = options;
    this.#producer = producer;
    this.#stored = stored;
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
    const append = this.#last.then(() => this.#append(events, state));
    this.#last = append;
    // Whoever asked for it hears of its failure.
    append.catch(() => undefined);
    return append;
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined);
    await this.#options.wire.close();
  }

  async #append(events: readonly NewEvent[], state: unknown): Promise<Checkpoint> {
    const { wire, prefix, id } = this.#options;
    const sequences = { ...this.#stored?.sequences };
    checkAppend(events);
    const loads = toLoads(events, this.#options, id, sequences);
    const own = { topic: checkpointTopic(prefix, id), partition: 0 };
    let decided = false;
    try {
      await this.#producer.begin([...loads, own]);
      const placed = loads.length === 0 ? [] : await this.#producer.send(loads);
      const ends = this.#endsAfter(placed);
      const stored = { number: (this.#stored?.number ?? 0) + 1, generation: this.generation, state, ends, sequences };
      const [checkpoint] = await this.#producer.send([{ ...own, messages: [checkpointMessage(stored)] }]);
      decided = true;
      await this.#producer.end('commit');
      await visible(wire, [...placed, checkpoint as Placed].map(lastOf));
      this.#stored = stored;
      return toCheckpoint(stored) as Checkpoint;
    } catch (error) {
      // So that readers need not wait for its time-out. After the commit was asked for, its outcome is the log's.
      if (!decided) await this.#producer.end('abort').catch(() => undefined);
      throw kafkaFault(error, wire.where);
    }
  }

  /** @throws BNY-LOG-ANOTHER when a topic has become shorter than it was: it is not the one of before */
  #endsAfter(placed: readonly Placed[]): Ends {
    const { prefix, topics } = this.#options;
    const ends = structuredClone(this.#stored?.ends ?? {});
    for (const load of placed) {
      const topic = load.topic.slice(prefix.length);
      const known = ends[topic] ?? Array.from({ length: topics[topic]?.partitions ?? 1 }, () => -1);
      ends[topic] = known;
      const before = known[load.partition] ?? -1;
      if (load.firstOffset <= before) throw shorter(load.topic, load.partition, load.firstOffset, before);
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
