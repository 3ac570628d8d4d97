import { type Cursors, type LoggedEvent, START } from '../../log/index.ts';
import { EventApplier, type Projection } from './projection.ts';
import { Fold } from './store/fold.ts';
import { SqliteStore } from './store/sqlite/store.ts';

/**
 * Plays the events of several topics in random interleavings, each topic in its own order and in batches of random
 * size, and returns the hashes of the stores: one and the same when the projection does not depend on chance.
 *
 * @param random numbers in [0, 1), so that a failure can be played again
 */
export async function confluent(
  projection: Projection,
  events: readonly LoggedEvent[],
  random: () => number,
  rounds = 5,
): Promise<Set<string>> {
  const hashes = new Set<string>();
  for (let round = 0; round < rounds; round++) hashes.add(await play(projection, events, random));
  return hashes;
}

async function play(projection: Projection, events: readonly LoggedEvent[], random: () => number): Promise<string> {
  const queues = new Map<string, LoggedEvent[]>();
  for (const event of events) queues.set(event.topic, [...(queues.get(event.topic) ?? []), event]);
  const store = new SqliteStore({ file: ':memory:', projection, logIdentity: 'confluent', partitions: {} });
  let cursors: Cursors = Object.fromEntries(projection.topics.map((topic) => [topic, [START]]));
  while (queues.size > 0) {
    const fold = new Fold();
    const applier = new EventApplier(projection, fold);
    const after: Cursors = { ...cursors };
    for (let size = 1 + Math.floor(random() * 20); size > 0 && queues.size > 0; size--) {
      const topics = [...queues.keys()];
      const topic = topics[Math.floor(random() * topics.length)] as string;
      const event = queues.get(topic)?.shift();
      if (!event) {
        queues.delete(topic);
        continue;
      }
      applier.apply({ ...event });
      after[topic] = [{ offset: event.offset, id: event.id }];
    }
    await store.commit(fold, cursors, after);
    cursors = after;
  }
  const hash = await store.hash();
  await store.close();
  return hash;
}
