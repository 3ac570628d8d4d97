import type Database from 'better-sqlite3';
import type { Doorbell } from '../doorbell.ts';
import { logFault } from '../errors.ts';
import { type Cursors, type LoggedEvent, MAX_BATCH_BYTES, type ReadOptions } from '../types.ts';
import { connect, guarded, type Partition } from './schema.ts';

interface Reading {
  file: string;
  partitions: Partition[];
  compacted: ReadonlySet<string>;
  from: Cursors;
  log: { doorbell: Doorbell; pollIntervalMs: number };
  options: ReadOptions;
}

type EventRow = Omit<LoggedEvent, 'topic' | 'partition' | 'position' | 'seed'> & {
  position: string | null;
  seed: string | null;
};

interface Tail {
  partition: Partition;
  /** Last offset delivered. */
  offset: number;
  /** Last offset to deliver. */
  until: number;
  select: Database.Statement<[number, number, number], EventRow>;
}

/** Reads on a connection of its own, so that `PRAGMA data_version` tells of every commit of everyone else. */
export async function* readFrom(reading: Reading): AsyncIterable<LoggedEvent[]> {
  const { limit = 1000, signal, until } = reading.options;
  const follow = (reading.options.follow ?? true) && !until;
  const { doorbell, pollIntervalMs } = reading.log;
  const db = connect(reading.file);
  try {
    const tails = guarded(() => openTails(db, reading, follow));
    const topics = [...Map.groupBy(tails, ({ partition }) => partition.topic).values()];
    const statement = guarded(() => db.prepare('PRAGMA data_version').pluck());
    const dataVersion = () => guarded(() => statement.get());
    let seen = dataVersion();
    while (!signal?.aborted) {
      const batch = guarded(() => nextBatch(topics, limit));
      if (batch.length > 0) yield batch;
      if (batch.length > 0) continue;
      if (!follow) return;
      while (!signal?.aborted && dataVersion() === seen) await doorbell.wait(pollIntervalMs, signal);
      seen = dataVersion();
      const woken = guarded(() => nextBatch(topics, limit));
      if (!signal?.aborted) yield woken;
    }
  } finally {
    db.close();
  }
}

function openTails(db: Database.Database, { partitions, compacted, from, options }: Reading, follow: boolean): Tail[] {
  return partitions.map((partition) => {
    const cursor = from[partition.topic]?.[partition.partition] ?? { offset: -1, id: '' };
    const table = `events_${partition.id}`;
    if (cursor.id !== '' && !compacted.has(partition.topic)) {
      const found = db.prepare(`SELECT id FROM ${table} WHERE offset = ?`).pluck().get(cursor.offset);
      if (found !== cursor.id) {
        throw logFault('BNY-LOG-ANOTHER', {
          found: `${found === undefined ? 'no event' : `event ${found}`} at ${partition.topic} offset ${cursor.offset}`,
          needed: `event ${cursor.id}, which the store has applied there`,
        });
      }
    }
    const end = () => (db.prepare(`SELECT max(offset) FROM ${table}`).pluck().get() as number | null) ?? -1;
    return {
      partition,
      offset: cursor.offset,
      until: follow ? Number.MAX_SAFE_INTEGER : (options.until?.[partition.topic]?.[partition.partition] ?? end()),
      select: db.prepare(`SELECT * FROM ${table} WHERE offset > ? AND offset <= ? ORDER BY offset LIMIT ?`),
    };
  });
}

function nextBatch(topics: Tail[][], limit: number): LoggedEvent[] {
  const batch: LoggedEvent[] = [];
  let bytes = 0;
  for (const tails of topics) {
    for (const [row, tail] of rowsOf(tails, limit - batch.length)) {
      batch.push(toEvent(row, tail.partition));
      tail.offset = row.offset;
      bytes += row.data.length;
      if (bytes >= MAX_BATCH_BYTES) break;
    }
    if (batch.length === limit || bytes >= MAX_BATCH_BYTES) break;
  }
  // Another topic comes first in the next batch, so that a busy one does not starve the rest.
  topics.push(...topics.splice(0, 1));
  return batch;
}

/** A topic's next rows; those of several partitions in the order of their writer, within one snapshot. */
function* rowsOf(tails: readonly Tail[], limit: number): Generator<[EventRow, Tail]> {
  const [only] = tails;
  if (only && tails.length === 1) {
    for (const row of only.select.iterate(only.offset, only.until, limit)) yield [row, only];
    return;
  }
  const streams = tails.map((tail) => ({ tail, rows: tail.select.iterate(tail.offset, tail.until, limit) }));
  try {
    const heads = streams.map(({ rows }) => rows.next().value as EventRow | undefined);
    for (let taken = 0; taken < limit; taken++) {
      let least = -1;
      for (const [i, row] of heads.entries()) {
        if (row && (least < 0 || row.sequence < (heads[least] as EventRow).sequence)) least = i;
      }
      const stream = streams[least];
      if (!stream) return;
      yield [heads[least] as EventRow, stream.tail];
      heads[least] = stream.rows.next().value as EventRow | undefined;
    }
  } finally {
    for (const { rows } of streams) rows.return?.();
  }
}

/** The row itself becomes the event: a copy of each of a million rows would cost as much as reading them. */
function toEvent(row: EventRow, { topic, partition }: Partition): LoggedEvent {
  const event = row as unknown as Omit<LoggedEvent, 'position' | 'seed'> & {
    position: string | undefined;
    seed: string | undefined;
  };
  event.topic = topic;
  event.partition = partition;
  event.position = row.position ?? undefined;
  event.seed = row.seed ?? undefined;
  return event as LoggedEvent;
}
