import type { LoggedEvent } from '../../log/index.ts';
import { EventApplier, type Projection } from './projection.ts';
import { Fold } from './store/fold.ts';
import type { SqlValue } from './table.ts';

/**
 * Plays the events of several topics in random interleavings, each topic in its own order and in batches of random
 * size, and returns what the stores hold then: one and the same text when the projection does not depend on chance.
 *
 * @param random numbers in [0, 1), so that a failure can be played again
 */
export async function confluent(
  projection: Projection,
  events: readonly LoggedEvent[],
  random: () => number,
  rounds = 5,
): Promise<Set<string>> {
  const stores = new Set<string>();
  for (let round = 0; round < rounds; round++) stores.add(play(projection, events, random));
  return stores;
}

type Rows = Map<string, Map<string, SqlValue[]>>;

function play(projection: Projection, events: readonly LoggedEvent[], random: () => number): string {
  const queues = new Map<string, LoggedEvent[]>();
  for (const event of events) queues.set(event.topic, [...(queues.get(event.topic) ?? []), event]);
  const rows: Rows = new Map();
  while (queues.size > 0) {
    const fold = new Fold();
    const applier = new EventApplier(projection, fold);
    for (let size = 1 + Math.floor(random() * 20); size > 0 && queues.size > 0; size--) {
      const topics = [...queues.keys()];
      const topic = topics[Math.floor(random() * topics.length)] as string;
      const event = queues.get(topic)?.shift();
      if (event) applier.apply({ ...event });
      else queues.delete(topic);
    }
    write(fold, rows);
  }
  return JSON.stringify([...projection.tables.keys()].map((table) => [table, inOrder(rows.get(table) ?? new Map())]));
}

function write(fold: Fold, rows: Rows): void {
  for (const { table, cleared, puts, deletes } of fold.tables.values()) {
    const own = (cleared ? undefined : rows.get(table.name)) ?? new Map<string, SqlValue[]>();
    rows.set(table.name, own);
    for (const identity of deletes.keys()) own.delete(identity);
    for (const [identity, values] of puts) own.set(identity, values);
  }
}

function inOrder(rows: ReadonlyMap<string, SqlValue[]>): SqlValue[][] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, values]) => values);
}
