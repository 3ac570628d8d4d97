import { z } from 'zod';
import type { Cursor, Ends, EventLog } from '../../../log/index.ts';
import type { Processor } from '../processor.ts';

/** A partition of a topic that a processor reads. */
export interface Place {
  topic: string;
  partition: number;
}

export const nameOf = ({ topic, partition }: Place): string => `${topic}/${partition}`;

/** Who writes down a processor's progress in a partition. Its checkpoint is the progress, its generation the fence. */
export function writerOf(processor: string, { topic, partition }: Place): string {
  return `processor.${processor}.${topic}.${partition}`;
}

/** The writers of a processor whose topics have so many partitions. */
export function writersOf({ name, topics }: Processor, partitionsOf: (topic: string) => number): string[] {
  return [...topics.keys()].flatMap((topic) =>
    Array.from({ length: partitionsOf(topic) }, (_, partition) => writerOf(name, { topic, partition })),
  );
}

const progress = z.object({
  cursor: z.object({ offset: z.number().int(), id: z.string() }),
  /** How many requests to replay dead letters have been carried out. */
  replays: z.number().int(),
  /** Dead letters that lie open. */
  dead: z.number().int(),
});

/** What stands in the checkpoint of a partition's writer. */
export type PartitionProgress = z.infer<typeof progress>;

export function readProgress(state: unknown): PartitionProgress | undefined {
  return state === undefined ? undefined : progress.parse(state);
}

/** Of a processor that has not handled anything yet. */
export function firstProgress({ topic, partition }: Place, begun: Ends, replays: number): PartitionProgress {
  const cursor: Cursor = { offset: begun[topic]?.[partition] ?? -1, id: '' };
  return { cursor, replays, dead: 0 };
}

export interface Stand {
  /** Events behind the end of the log; null: it has never been started. */
  lag: number | null;
  dead: number;
}

/** How far a processor has come, by what it has written down. */
export async function standOf(log: EventLog, { name, topics }: Processor): Promise<Stand> {
  const stand: Stand = { lag: 0, dead: 0 };
  for (const [topic, ends] of Object.entries(await log.ends([...topics.keys()]))) {
    for (const [partition, end] of ends.entries()) {
      const done = readProgress((await log.checkpoint(writerOf(name, { topic, partition })))?.state);
      stand.lag = done === undefined || stand.lag === null ? null : stand.lag + Math.max(0, end - done.cursor.offset);
      stand.dead += done?.dead ?? 0;
    }
  }
  return stand;
}
