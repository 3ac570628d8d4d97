import { type LoggedEvent, MAX_BATCH_BYTES } from '../types.ts';
import { kafkaFault } from './fault.ts';
import type { Fetched } from './fetch.ts';
import { patiently } from './patience.ts';
import { Puller } from './puller.ts';
import { openReaders, type TopicReader, type Wish } from './tails.ts';
import type { Wire } from './wire.ts';

export interface Reading extends Wish {
  where: string;
  open(): Promise<Wire>;
}

/** A partition whose events wait for so many of others is not read on. */
const AHEAD = 5000;

/** On a wire of its own, so that waiting for news holds up nobody else. */
export async function* readFrom(reading: Reading): AsyncIterable<LoggedEvent[]> {
  const { limit = 1000, signal, until } = reading.options;
  const follow = (reading.options.follow ?? true) && !until;
  let puller: Puller | undefined;
  let readers: TopicReader[] | undefined;
  const step = async () => {
    try {
      puller ??= new Puller(await reading.open(), signal);
      readers ??= await openReaders(puller.wire, reading, follow);
      const wanted = readers.flatMap((reader) =>
        reader.tails.filter(({ partition, from, bound }) => from < bound && reader.ahead(partition) < AHEAD),
      );
      // A compacted topic without a record has yet to find out that it is complete.
      const woken = wanted.length > 0 && take(readers, await puller.next(wanted));
      return { events: readers.flatMap((reader) => reader.take()), woken, isEnd: wanted.length === 0 };
    } catch (error) {
      await puller?.close();
      puller = undefined;
      throw error;
    }
  };
  try {
    while (!signal?.aborted) {
      const { events, woken, isEnd } = await patiently(reading.where, step, { signal });
      yield* batchesOf(events, limit);
      if (events.length === 0 && woken && follow && !signal?.aborted) yield [];
      if (isEnd) return;
    }
  } catch (error) {
    // Whoever has aborted it no longer waits for the cluster.
    if (!signal?.aborted || !kafkaFault(error, reading.where).retryable) throw error;
  } finally {
    await puller?.close();
  }
}

/** Hands what was fetched to the readers. Returns whether one of them wants to be woken. */
function take(readers: readonly TopicReader[], fetched: readonly Fetched[]): boolean {
  let woken = false;
  for (const { topic, partition, records, next } of fetched) {
    for (const reader of readers) {
      const tail = reader.tails[partition];
      if (tail?.topic !== topic) continue;
      for (const record of records) if (record.offset < tail.bound) woken = reader.add(partition, record) || woken;
      tail.from = next;
    }
  }
  return woken;
}

function* batchesOf(events: readonly LoggedEvent[], limit: number): Generator<LoggedEvent[]> {
  let batch: LoggedEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    batch.push(event);
    bytes += event.data.length;
    if (batch.length < limit && bytes < MAX_BATCH_BYTES) continue;
    yield batch;
    [batch, bytes] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}
