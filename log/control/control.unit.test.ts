import { describe, expect, it } from '@jest/globals';
import { openMemoryLog } from '../memory/log.ts';
import { topicsFor } from '../topics.ts';
import type { EventLog } from '../types.ts';
import { type ControlData, type ControlType, controlEvent, latestEvent } from './records.ts';
import { followControl, readControlState } from './tail.ts';

const open = () => openMemoryLog(topicsFor({ orders: {} }));
const post = <T extends ControlType>(log: EventLog, type: T, data: ControlData<T>) =>
  log.post([controlEvent(type, data, 'anna')]);
const orders = async (log: EventLog) => (await readControlState(log)).of('orders');

describe('the control plane', () => {
  it('knows nothing of a domain at first: reads at 0 %, store 1, not seeded', async () => {
    expect(await orders(open())).toMatchObject({
      reads: { percent: 0, revision: 0 },
      store: { live: '1' },
      seeded: undefined,
    });
  });

  it('lets of two switches at once only the first count', async () => {
    const log = open();
    await post(log, 'ReadsSwitched', { domain: 'orders', percent: 50, revision: 0 });
    await post(log, 'ReadsSwitched', { domain: 'orders', percent: 10, revision: 0 });
    expect((await orders(log)).reads).toEqual({ percent: 50, revision: 1 });
    await post(log, 'ReadsSwitched', { domain: 'orders', percent: 10, revision: 1 });
    expect((await orders(log)).reads).toEqual({ percent: 10, revision: 2 });
  });

  it('seeds a domain once: a request while one runs, after it, or while parked is void', async () => {
    const log = open();
    const request = (run: string) =>
      post(log, 'EtlRequested', { domain: 'orders', run, chunkRows: 100, maxLoad: null });
    await request('one');
    await request('two');
    expect((await orders(log)).etl?.run).toBe('one');
    await post(log, 'DomainSeeded', { domain: 'orders', run: 'one', rows: 5 });
    await request('three');
    expect(await orders(log)).toMatchObject({ etl: undefined, seeded: { run: 'one', rows: 5 } });
  });

  it('tunes only a seed that runs, and only what was said', async () => {
    const log = open();
    await post(log, 'EtlTuned', { domain: 'orders', paused: true });
    await post(log, 'EtlRequested', {
      domain: 'orders',
      run: 'one',
      chunkRows: 100,
      maxLoad: { variable: 'Threads_running', limit: 9 },
    });
    await post(log, 'EtlTuned', { domain: 'orders', paused: true });
    expect((await orders(log)).etl).toEqual({
      run: 'one',
      chunkRows: 100,
      maxLoad: { variable: 'Threads_running', limit: 9 },
      paused: true,
    });
    await post(log, 'EtlTuned', { domain: 'orders', maxLoad: null });
    expect((await orders(log)).etl).toMatchObject({ maxLoad: null, paused: true });
  });

  it('is not seeded any more after a reset', async () => {
    const log = open();
    await post(log, 'DomainSeeded', { domain: 'orders', run: 'one', rows: 5 });
    await post(log, 'DomainParked', {
      domain: 'orders',
      cause: 'truncate',
      cure: 'reseed',
      position: '1',
      reseed: true,
    });
    await post(log, 'DomainReset', { domain: 'orders', run: 'two', chunkRows: 100 });
    expect(await orders(log)).toMatchObject({ seeded: undefined, parked: undefined, etl: { run: 'two' } });
  });

  it('flips stores and remembers the one before, until it is dropped', async () => {
    const log = open();
    await post(log, 'ReplayRequested', { domain: 'orders', store: '2' });
    expect((await orders(log)).store).toMatchObject({ live: '1', replaying: '2' });
    await post(log, 'StoreFlipped', {
      domain: 'orders',
      store: '2',
      hash: 'abc',
      undoUntil: '2030-01-01T00:00:00.000Z',
    });
    expect((await orders(log)).store).toMatchObject({ live: '2', previous: '1', replaying: undefined });
    await post(log, 'StoreDropped', { domain: 'orders', store: '2' });
    expect((await orders(log)).store.previous).toBe('1');
    await post(log, 'StoreDropped', { domain: 'orders', store: '1' });
    expect((await orders(log)).store).toMatchObject({ live: '2', previous: undefined });
  });

  it('lets a replay go on that is under way at an undo', async () => {
    const log = open();
    const flip = { domain: 'orders', hash: 'abc', undoUntil: null };
    await post(log, 'ReplayRequested', { domain: 'orders', store: '2' });
    await post(log, 'StoreFlipped', { ...flip, store: '2' });
    await post(log, 'ReplayRequested', { domain: 'orders', store: '3' });
    await post(log, 'StoreFlipped', { ...flip, store: '1' });
    expect((await orders(log)).store).toMatchObject({ live: '1', previous: '2', replaying: '3' });
    await post(log, 'StoreFlipped', { ...flip, store: '3' });
    expect((await orders(log)).store).toMatchObject({ live: '3', previous: '1', replaying: undefined });
  });

  it('voids a flip to a store that nobody keeps up', async () => {
    const log = open();
    await post(log, 'StoreFlipped', { domain: 'orders', hash: 'abc', undoUntil: null, store: '7' });
    expect((await orders(log)).store.live).toBe('1');
  });

  it('keeps the live store when a replay fails', async () => {
    const log = open();
    await post(log, 'ReplayRequested', { domain: 'orders', store: '2' });
    await post(log, 'ReplayFailed', { domain: 'orders', store: '2', reason: 'differs', differences: [] });
    expect(await orders(log)).toMatchObject({
      store: { live: '1', replaying: undefined },
      lastReplay: { store: '2', failed: { reason: 'differs' } },
    });
  });

  it('gives no number of a store twice, whatever became of the last one', async () => {
    const log = open();
    const flip = { domain: 'orders', hash: 'abc', undoUntil: null };
    expect((await orders(log)).store.newest).toBe(1);
    await post(log, 'ReplayRequested', { domain: 'orders', store: '2' });
    await post(log, 'ReplayFailed', { domain: 'orders', store: '2', reason: 'differs', differences: [] });
    expect((await orders(log)).store.newest).toBe(2);
    await post(log, 'ReplayRequested', { domain: 'orders', store: '3' });
    await post(log, 'StoreFlipped', { ...flip, store: '3' });
    await post(log, 'StoreFlipped', { ...flip, store: '1' });
    await post(log, 'StoreDropped', { domain: 'orders', store: '3' });
    expect((await orders(log)).store).toMatchObject({ live: '1', previous: undefined, newest: 3 });
  });

  it('voids a replay into a store that is kept up', async () => {
    const log = open();
    await post(log, 'ReplayRequested', { domain: 'orders', store: '2' });
    await post(log, 'StoreFlipped', { domain: 'orders', hash: 'abc', undoUntil: null, store: '2' });
    for (const store of ['1', '2']) await post(log, 'ReplayRequested', { domain: 'orders', store });
    expect((await orders(log)).store.replaying).toBeUndefined();
  });

  it('lets a replay go on when an earlier one is said to have failed', async () => {
    const log = open();
    const failed = { domain: 'orders', reason: 'differs', differences: [] };
    await post(log, 'ReplayRequested', { domain: 'orders', store: '2' });
    await post(log, 'ReplayFailed', { ...failed, store: '2' });
    await post(log, 'ReplayRequested', { domain: 'orders', store: '3' });
    await post(log, 'ReplayFailed', { ...failed, store: '2', reason: 'once more' });
    expect(await orders(log)).toMatchObject({
      store: { replaying: '3' },
      lastReplay: { failed: { reason: 'differs' } },
    });
  });

  it('refuses records that it does not know instead of passing them over', async () => {
    const log = open();
    await log.post([
      { ...controlEvent('DomainSeeded', { domain: 'orders', run: 'r', rows: 1 }, 'anna'), type: 'FromTheFuture' },
    ]);
    await expect(readControlState(log)).rejects.toMatchObject({ code: 'BNY-LOG-CONTROL' });
  });

  it('tells a follower everything that stands, then each change', async () => {
    const log = open();
    await post(log, 'ReadsSwitched', { domain: 'orders', percent: 50, revision: 0 });
    const stop = new AbortController();
    const seen: number[] = [];
    for await (const fold of followControl(log, stop.signal)) {
      seen.push(fold.of('orders').reads.percent);
      if (seen.length === 1) await post(log, 'ReadsSwitched', { domain: 'orders', percent: 100, revision: 1 });
      else stop.abort();
    }
    expect(seen).toEqual([50, 100]);
  });

  it('tells a follower who has given up nothing, rather than half of it', async () => {
    const log = open();
    await post(log, 'ReadsSwitched', { domain: 'orders', percent: 50, revision: 0 });
    for await (const _ of followControl(log, AbortSignal.abort())) throw new Error('told');
  });

  it('keeps only the newest sign of life of each', async () => {
    const log = open();
    for (const events of [1, 2])
      await log.post([
        latestEvent('ReplayProgress', 'replay:orders', { domain: 'orders', store: '2', events, total: 9 }, 'x'),
      ]);
    expect((await readControlState(log)).latest.get('replay:orders')).toMatchObject({ data: { events: 2 } });
  });
});
