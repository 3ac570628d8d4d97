import { describe, expect, it } from '@jest/globals';
import {
  type EventLog,
  fromStart,
  type LoggedEvent,
  openMemoryLog,
  readControlState,
  topicsFor,
} from '../../log/index.ts';
import type { Change } from '../types.ts';
import { domain, emitAll, faultyLog, insert, ScriptedSource } from './test-support.ts';

const TOPICS = topicsFor({ orders: { partitions: 3 }, parcels: {} });
const orders = { ...domain('orders', 'orders'), partitions: 3 };
const parcels = domain('parcels', 'parcels');

function owned(owner: string, epoch: number): Change {
  const after = { domain: 'orders', owner, epoch, switch_id: `s${epoch}`, next_ids: '{"orders":"8"}' };
  return { table: 'ownership', kind: 'update', key: ['orders'], after };
}

/** Everything of a topic, partition by partition, as `type key epoch`. */
async function byPartition(log: EventLog, topic: string): Promise<string[][]> {
  const events: LoggedEvent[] = [];
  for await (const batch of log.read(fromStart([topic], TOPICS), { follow: false })) events.push(...batch);
  return [0, 1, 2].map((partition) =>
    events
      .filter((event) => event.partition === partition)
      .map(({ type, key, epoch }) => (type === 'Changed' ? `${key} ${epoch}` : `${type} ${epoch}`)),
  );
}

describe('a change of owner in the stream', () => {
  it('is marked in every partition, behind what came before, and stops the capture until the next, through crashes', async () => {
    const source = new ScriptedSource();
    source.add([1, 2, 3, 4].map((id) => insert('orders', id)));
    source.add([owned('service', 1)]);
    source.add([...[5, 6, 7, 8].map((id) => insert('orders', id)), insert('parcels', 1)]);
    source.add([owned('monolith', 2)]);
    source.add([9, 10, 11, 12].map((id) => insert('orders', id)));
    source.add([insert('parcels', 2)]);
    const log = openMemoryLog(TOPICS);
    let appends = 0;
    const faulty = faultyLog(log, () => (++appends % 3 === 0 ? 'after' : appends % 3 === 1 ? 'before' : undefined));
    await emitAll(source, [orders, parcels], faulty, async () => (await byPartition(log, 'parcels'))[0]?.length === 2);
    const partitions = await byPartition(log, 'orders');
    for (const events of partitions) {
      const marks = events.filter((event) => event.startsWith('Owner'));
      expect(marks).toEqual(['OwnershipChanged 1', 'OwnershipChanged 2']);
      const [first = 0, second = 0] = marks.map((mark) => events.indexOf(mark));
      expect(second).toBe(first + 1);
      expect(events.slice(0, first).every((event) => event.endsWith(' 0'))).toBe(true);
      expect(events.slice(second + 1).every((event) => event.endsWith(' 2'))).toBe(true);
    }
    const keys = partitions.flat().filter((event) => !event.startsWith('Owner'));
    expect(keys.map((event) => Number(event.split(' ')[0])).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 9, 10, 11, 12]);
    const { ownership } = (await readControlState(log)).of('orders');
    expect(ownership).toEqual({ owner: 'monolith', epoch: 2, outcome: undefined, moving: undefined });
  });

  it('that is none tells nothing: the row is made, or only its other columns change', async () => {
    const source = new ScriptedSource();
    source.add([owned('monolith', 0)]);
    source.add([insert('orders', 1)]);
    const log = openMemoryLog(TOPICS);
    await emitAll(source, [orders], log, async () => (await byPartition(log, 'orders')).flat().length > 0);
    expect((await byPartition(log, 'orders')).flat()).toEqual(['1 0']);
  });

  it.each<[string, Change]>([
    ['an epoch too far', owned('service', 2)],
    ['another owner under the same epoch', owned('service', 0)],
    ['a row that is gone', { table: 'ownership', kind: 'delete', key: ['orders'], before: {} }],
  ])('sets the domain aside when somebody edited the row: %s', async (_, change) => {
    const source = new ScriptedSource();
    source.add([change]);
    source.add([insert('orders', 1), insert('parcels', 1)]);
    const log = openMemoryLog(TOPICS);
    await emitAll(source, [orders, parcels], log, async () => (await byPartition(log, 'parcels'))[0]?.length === 1);
    expect(await byPartition(log, 'orders')).toEqual([[], [], []]);
    expect((await readControlState(log)).of('orders').parked).toMatchObject({
      cause: expect.stringContaining('known is monolith under epoch 0'),
      cure: expect.stringContaining('Put the row back'),
    });
  });
});
