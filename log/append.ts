import { logFault } from './errors.ts';
import { partitionOf } from './partition.ts';
import {
  type Cursors,
  type Ends,
  MAX_APPEND_BYTES,
  MAX_APPEND_EVENTS,
  type NewEvent,
  START,
  type Topics,
} from './types.ts';

/** What every adapter refuses before it touches its storage. */
export function checkAppend(events: readonly NewEvent[]): void {
  let bytes = 0;
  for (const event of events) bytes += event.data.length;
  if (events.length > MAX_APPEND_EVENTS || bytes > MAX_APPEND_BYTES) {
    throw logFault('BNY-LOG-TOO-LARGE', {
      found: `${events.length} events, ${bytes} bytes`,
      needed: `at most ${MAX_APPEND_EVENTS} events and ${MAX_APPEND_BYTES} bytes`,
    });
  }
}

export function placeOf(event: NewEvent, topics: Topics): number {
  const topic = topics[event.topic];
  if (!topic) throw unknownTopic(event.topic);
  return partitionOf(event.key, topic.partitions ?? 1);
}

/** A cursor before the first event for every partition of the given topics. */
export function fromStart(names: readonly string[], topics: Topics): Cursors {
  const cursors: Cursors = {};
  for (const name of names) {
    const topic = topics[name];
    if (!topic) throw unknownTopic(name);
    cursors[name] = Array.from({ length: topic.partitions ?? 1 }, () => START);
  }
  return cursors;
}

/** Whether a reader at `cursors` has applied everything up to `ends`, of the topics that it reads. */
export function covers(cursors: Cursors, ends: Ends): boolean {
  return Object.entries(cursors).every(([topic, partitions]) =>
    partitions.every((cursor, partition) => cursor.offset >= (ends[topic]?.[partition] ?? -1)),
  );
}

export function unknownTopic(topic: string) {
  return logFault('BNY-LOG-UNKNOWN-TOPIC', { found: topic });
}
