import { logFault } from '../errors.ts';
import type { Cursor, Cursors, LoggedEvent, ReadOptions, Topics } from '../types.ts';
import { clusterFault } from './errors.ts';
import type { Wanted } from './fetch.ts';
import type { KafkaRecord } from './record-batch.ts';
import { toEvent } from './records.ts';
import { lastCommitted } from './stand.ts';
import type { Wire } from './wire.ts';
import { WriterOrder, type Written } from './writer-order.ts';

/** How far one partition has been read. */
export interface Tail extends Wanted {
  /** What stands here or behind it is not wanted. */
  bound: number;
}

/** A topic that is being read. */
export interface TopicReader {
  readonly tails: Tail[];
  /** How many of a partition's events wait for those of others. */
  ahead(partition: number): number;
  /** Returns whether a following reader should wake for it though it delivers nothing. */
  add(partition: number, record: KafkaRecord): boolean;
  /** What can be delivered now. */
  take(): LoggedEvent[];
}

export interface Wish {
  prefix: string;
  topics: Topics;
  /** Topics, as Kafka names them, whose records wake the reader without being delivered. */
  wakers: readonly string[];
  from: Cursors;
  options: ReadOptions;
}

/** @throws BNY-LOG-ANOTHER, BNY-LOG-FORGETS */
export async function openReaders(wire: Wire, wish: Wish, follow: boolean): Promise<TopicReader[]> {
  const { prefix, topics, wakers, from, options } = wish;
  const readers: TopicReader[] = [];
  for (const [name, cursors] of Object.entries(from)) {
    const topic = prefix + name;
    const stable = await wire.offsets(
      cursors.map((_, partition) => ({ topic, partition })),
      'stable',
    );
    const tails = cursors.map(({ offset }, partition) => {
      const until = options.until?.[name]?.[partition];
      const end = until === undefined ? (stable[partition] ?? 0) : until + 1;
      return { topic, partition, from: offset + 1, bound: follow ? Number.POSITIVE_INFINITY : end };
    });
    if (topics[name]?.compacted) readers.push(new CompactedTopic(name, tails, stable));
    else readers.push(new OrderedTopic(name, tails, await applied(wire, name, tails, cursors, stable)));
  }
  if (follow && wakers.length > 0) {
    const places = wakers.map((topic) => ({ topic, partition: 0 }));
    const stable = await wire.offsets(places, 'stable');
    for (const [i, { topic }] of places.entries()) readers.push(new Waker(topic, stable[i] ?? 0));
  }
  return readers;
}

/** The events at the cursors, which must be those that the cursors name; undefined when one of them names none. */
async function applied(
  wire: Wire,
  name: string,
  tails: Tail[],
  cursors: Cursor[],
  stable: number[],
): Promise<Written[] | undefined> {
  const start = await wire.offsets(tails, 'start');
  const found: Written[] = [];
  for (const [partition, { offset, id }] of cursors.entries()) {
    const tail = tails[partition] as Tail;
    if ((start[partition] ?? 0) > tail.from) {
      throw clusterFault('BNY-LOG-FORGETS', {
        found: `${tail.topic} partition ${partition} begins at offset ${start[partition]}`,
        needed: `offset ${tail.from}`,
      });
    }
    if (offset < 0 || id === '') continue;
    const record = offset < (stable[partition] ?? 0) ? await lastCommitted(wire, tail, offset + 1) : undefined;
    const event = record?.offset === offset ? toEvent(name, partition, record) : undefined;
    if (event?.event.id === id) found.push(event);
    else {
      throw logFault('BNY-LOG-ANOTHER', {
        found: `${event ? `event ${event.event.id}` : 'no event'} at ${tail.topic} partition ${partition} offset ${offset}`,
        needed: `event ${id}, which the store has applied there`,
      });
    }
  }
  return cursors.some(({ offset, id }) => offset >= 0 && id === '') ? undefined : found;
}

/** Delivers in the order of the writers, over all partitions. */
class OrderedTopic implements TopicReader {
  readonly tails: Tail[];
  readonly #name: string;
  readonly #order: WriterOrder;

  constructor(name: string, tails: Tail[], atCursors: Written[] | undefined) {
    this.#name = name;
    this.tails = tails;
    this.#order = new WriterOrder(name, tails.length, atCursors);
  }

  ahead(partition: number): number {
    return this.#order.ahead(partition);
  }

  add(partition: number, record: KafkaRecord): boolean {
    this.#order.add(toEvent(this.#name, partition, record));
    return false;
  }

  take(): LoggedEvent[] {
    return this.#order.take();
  }
}

/** Of what stands in the log at the start only the newest event of each key is delivered: compaction comes when it comes. */
class CompactedTopic implements TopicReader {
  readonly tails: Tail[];
  readonly #name: string;
  readonly #stable: number[];
  #newest: Map<string, LoggedEvent> | undefined = new Map();
  #ready: LoggedEvent[] = [];

  constructor(name: string, tails: Tail[], stable: number[]) {
    this.#name = name;
    this.tails = tails;
    this.#stable = stable;
  }

  ahead(): number {
    return 0;
  }

  add(partition: number, record: KafkaRecord): boolean {
    const { event } = toEvent(this.#name, partition, record);
    if (this.#newest) this.#newest.set(event.key, event);
    else this.#ready.push(event);
    return false;
  }

  take(): LoggedEvent[] {
    if (this.#newest) {
      if (this.tails.some(({ from }, partition) => from < (this.#stable[partition] ?? 0))) return [];
      this.#ready = [...this.#newest.values()].sort((a, b) => a.offset - b.offset);
      this.#newest = undefined;
    }
    return this.#ready.splice(0);
  }
}

class Waker implements TopicReader {
  readonly tails: Tail[];

  constructor(topic: string, from: number) {
    this.tails = [{ topic, partition: 0, from, bound: Number.POSITIVE_INFINITY }];
  }

  ahead(): number {
    return 0;
  }

  add(): boolean {
    return true;
  }

  take(): LoggedEvent[] {
    return [];
  }
}
