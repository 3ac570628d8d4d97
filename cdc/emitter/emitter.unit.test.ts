import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { controlEvent, parkingTopic, readControlState } from '../../log/index.ts';
import type { Change } from '../types.ts';
import { domain, emitAll, eventsOf, faultyLog, insert, memoryLog, ScriptedSource } from './test-support.ts';

const orders = domain('orders', 'orders');
const parcels = domain('parcels', 'parcels');

describe('the emitter', () => {
  it('appends each change once and in order, through crashes before and after any append', async () => {
    const faults = fc.array(fc.constantFrom('before' as const, 'after' as const, undefined), { maxLength: 20 });
    const sizes = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(faults, sizes, async (script, transactions) => {
        const log = memoryLog();
        const source = new ScriptedSource();
        let id = 0;
        for (const size of transactions)
          source.add(Array.from({ length: size }, () => insert(id % 2 ? 'orders' : 'parcels', id++)));
        const pending = [...script];
        await emitAll(
          source,
          [orders, parcels],
          faultyLog(log, () => pending.shift()),
          async () => (await eventsOf(log, 'orders', 'parcels')).length >= id,
        );
        const keys = (await eventsOf(log, 'orders', 'parcels')).map((event) => Number(event.key));
        const even = keys.filter((key) => key % 2 === 0);
        expect(even).toEqual([...even.keys()].map((i) => i * 2));
        expect(keys.filter((key) => key % 2)).toEqual(Array.from({ length: id }, (_, i) => i).filter((key) => key % 2));
        expect(keys).toHaveLength(id);
      }),
      { numRuns: 60 },
    );
  });

  it('goes on inside a part that is larger than an append, with neither gap nor repeat', async () => {
    const log = memoryLog();
    const source = new ScriptedSource();
    source.add([insert('orders', 0)]);
    source.add(Array.from({ length: 3500 }, (_, i) => insert('orders', i + 1)));
    let appends = 0;
    await emitAll(
      source,
      [orders],
      faultyLog(log, () => (++appends % 2 ? 'after' : 'before')),
      async () => (await eventsOf(log, 'orders')).length >= 3501,
    );
    expect((await eventsOf(log, 'orders')).map((event) => Number(event.key))).toEqual(
      Array.from({ length: 3501 }, (_, i) => i),
    );
  });

  it('refuses to go on inside a part when the capture has changed meanwhile', async () => {
    const log = memoryLog();
    const source = new ScriptedSource();
    source.add(Array.from({ length: 1500 }, (_, i) => insert('orders', i)));
    let appends = 0;
    const crashed = async () => appends >= 2;
    await emitAll(
      source,
      [orders],
      faultyLog(log, () => (++appends === 2 ? 'before' : undefined)),
      crashed,
    );
    const changed = {
      ...orders,
      capture: { orders: (change: Change) => (change.key[0] === 3 ? undefined : orders.capture['orders']?.(change)) },
    };
    await expect(emitAll(source, [changed], log, async () => false)).rejects.toMatchObject({
      code: 'BNY-CDC-CAPTURE-CHANGED',
    });
  });

  it('gives the same ids at every reading, and different ones to each change of a row', async () => {
    const run = async () => {
      const log = memoryLog();
      const source = new ScriptedSource();
      source.add([
        insert('orders', 1),
        { table: 'orders', kind: 'delete', key: [1], before: { id: 1 } },
        insert('orders', 1),
      ]);
      source.add([insert('orders', 1)]);
      await emitAll(source, [orders], log, async () => (await eventsOf(log, 'orders')).length >= 4);
      return (await eventsOf(log, 'orders')).map((event) => event.id);
    };
    const [first, second] = [await run(), await run()];
    expect(first).toEqual(second);
    expect(new Set(first).size).toBe(4);
  });

  it('makes no event of an update that changed no captured column', async () => {
    const log = memoryLog();
    const source = new ScriptedSource();
    source.add([
      { table: 'orders', kind: 'update', key: [1], before: { id: 1, text: 'x' }, after: { id: 1, text: 'x' } },
      insert('orders', 2),
    ]);
    await emitAll(source, [orders], log, async () => (await eventsOf(log, 'orders')).length >= 1);
    expect((await eventsOf(log, 'orders')).map((event) => event.key)).toEqual(['2']);
  });

  it('parks a domain whose capture throws from that transaction on, and lets the others go on', async () => {
    const log = memoryLog();
    const source = new ScriptedSource();
    const failing = domain('orders', 'orders', (change) => change.key[0] === 3);
    source.add([insert('orders', 1), insert('parcels', 1)]);
    source.add([insert('orders', 2), insert('orders', 3), insert('parcels', 2)]);
    source.add([insert('orders', 4), insert('parcels', 3)]);
    await emitAll(source, [failing, parcels], log, async () => (await eventsOf(log, 'parcels')).length >= 3);
    expect((await eventsOf(log, 'orders')).map((event) => event.key)).toEqual(['1']);
    expect(await eventsOf(log, parkingTopic('orders'))).toHaveLength(3);
    const { parked } = (await readControlState(log)).of('orders');
    expect(parked).toMatchObject({ cause: 'insert of orders [3]: the capture has a bug', reseed: false });
    expect((await readControlState(log)).of('parcels').parked).toBeUndefined();
  });

  it('drains the parking lot through the corrected capture: the same events as if nothing had been', async () => {
    const script = (source: ScriptedSource) => {
      for (let i = 0; i < 20; i++) source.add([insert('orders', i), insert('orders', i + 100), insert('parcels', i)]);
    };
    const smooth = memoryLog();
    const calm = new ScriptedSource();
    script(calm);
    await emitAll(calm, [orders, parcels], smooth, async () => (await eventsOf(smooth, 'orders')).length >= 40);

    const log = memoryLog();
    const source = new ScriptedSource();
    script(source);
    const failing = domain('orders', 'orders', (change) => Number(change.key[0]) === 7);
    await emitAll(source, [failing, parcels], log, async () => (await eventsOf(log, 'parcels')).length >= 20);
    await log.post([controlEvent('ResumeRequested', { domain: 'orders', reseed: false }, 'operator')]);
    // These are still being parked when the lot is emptied.
    for (let i = 0; i < 10; i++) source.add([insert('orders', i + 500)]);
    let appends = 0;
    const faulty = faultyLog(log, () => (++appends % 3 === 0 ? 'after' : undefined));
    await emitAll(
      source,
      [orders, parcels],
      faulty,
      async () => (await readControlState(log)).of('orders').parked === undefined,
    );
    source.add([insert('orders', 999)]);
    await emitAll(source, [orders, parcels], log, async () => (await eventsOf(log, 'orders')).length >= 51);
    const events = await eventsOf(log, 'orders');
    expect(events.slice(0, 40).map(({ id }) => id)).toEqual((await eventsOf(smooth, 'orders')).map(({ id }) => id));
    expect(events.slice(40).map(({ key }) => Number(key))).toEqual([...[...Array(10).keys()].map((i) => i + 500), 999]);
  });

  it('keeps of a change too large for the log its key, and asks for a new seed when the lot is emptied', async () => {
    const log = memoryLog();
    const source = new ScriptedSource();
    const parked = async () => (await readControlState(log)).of('orders').parked;
    source.add([insert('orders', 1), insert('orders', 2, 'x'.repeat(1_100_000)), insert('parcels', 1)]);
    await emitAll(source, [orders, parcels], log, async () => (await parked()) !== undefined);
    expect(await parked()).toMatchObject({
      reseed: false,
      cause: expect.stringMatching(/orders \[2\].*more than the log/),
    });
    await emitAll(source, [orders, parcels], log, async () => (await eventsOf(log, 'parcels')).length === 1);
    const [first, large] = await eventsOf(log, parkingTopic('orders'));
    expect([first?.type, large?.type]).toEqual(['ChangeParked', 'ChangeTooLarge']);
    expect(JSON.parse(large?.data ?? '')).toMatchObject({ table: 'orders', key: [2] });
    await log.post([controlEvent('ResumeRequested', { domain: 'orders', reseed: false }, 'operator')]);
    await emitAll(source, [orders, parcels], log, async () => (await parked())?.reseed === true);
    expect(await parked()).toMatchObject({
      cause: expect.stringContaining('BNY-CDC-TOO-LARGE'),
      cure: expect.stringContaining('--reseed'),
    });
    expect((await eventsOf(log, 'orders')).map(({ key }) => key)).toEqual(['1']);
  });

  it('forgets nothing that is parked while a lot too large for one go is emptied', async () => {
    const log = memoryLog();
    const source = new ScriptedSource();
    const broken = domain('orders', 'orders', () => true);
    source.add(Array.from({ length: 4500 }, (_, i) => insert('orders', i)));
    await emitAll(source, [broken], log, async () => (await eventsOf(log, parkingTopic('orders'))).length >= 4500);
    await log.post([controlEvent('ResumeRequested', { domain: 'orders', reseed: false }, 'operator')]);
    for (let i = 0; i < 30; i++) source.add([insert('orders', 4500 + i)]);
    await emitAll(source, [orders], log, async () => !(await readControlState(log)).of('orders').parked);
    source.add([insert('orders', 4530)]);
    await emitAll(source, [orders], log, async () => (await eventsOf(log, 'orders')).at(-1)?.key === '4530');
    expect((await eventsOf(log, 'orders')).map(({ key }) => Number(key))).toEqual([...Array(4531).keys()]);
  });

  it('stays parked when the capture throws again while the lot is emptied, and loses nothing', async () => {
    const log = memoryLog();
    const source = new ScriptedSource();
    for (let i = 0; i < 5; i++) source.add([insert('orders', i)]);
    const failing = (id: number) => domain('orders', 'orders', (change) => change.key[0] === id);
    await emitAll(source, [failing(1)], log, async () => (await eventsOf(log, parkingTopic('orders'))).length >= 4);
    await log.post([controlEvent('ResumeRequested', { domain: 'orders', reseed: false }, 'operator')]);
    const parkedAgain = async () =>
      (await readControlState(log)).of('orders').parked?.cause.includes('offset 2') ?? false;
    const again = { ...failing(3), capture: { orders: failing(3).capture['orders'] as never } };
    await emitAll(source, [again], log, async () => (await eventsOf(log, 'orders')).length >= 3);
    expect(await parkedAgain()).toBe(true);
    await log.post([controlEvent('ResumeRequested', { domain: 'orders', reseed: false }, 'operator')]);
    await emitAll(source, [orders], log, async () => (await eventsOf(log, 'orders')).length >= 5);
    expect((await eventsOf(log, 'orders')).map((event) => event.key)).toEqual(['0', '1', '2', '3', '4']);
  });

  it('parks for a reseed what cannot be expressed as row changes, and nothing else cures it', async () => {
    const log = memoryLog();
    const source = new ScriptedSource();
    source.add([insert('orders', 1)]);
    source.add([], [{ tables: ['orders'], kind: 'truncate', statement: 'TRUNCATE orders' }]);
    source.add([insert('orders', 2), insert('parcels', 1)]);
    await emitAll(source, [orders, parcels], log, async () => (await eventsOf(log, 'parcels')).length >= 1);
    expect((await readControlState(log)).of('orders').parked).toMatchObject({ reseed: true });
    await log.post([controlEvent('ResumeRequested', { domain: 'orders', reseed: false }, 'operator')]);
    source.add([insert('parcels', 2)]);
    await emitAll(source, [orders, parcels], log, async () => (await eventsOf(log, 'parcels')).length >= 2);
    expect((await eventsOf(log, 'orders')).map((event) => event.type)).toEqual(['Changed']);
    await log.post([controlEvent('ResumeRequested', { domain: 'orders', reseed: true }, 'operator')]);
    await emitAll(
      source,
      [orders, parcels],
      log,
      async () => (await readControlState(log)).of('orders').etl !== undefined,
    );
    expect((await eventsOf(log, 'orders')).map((event) => event.type)).toEqual(['Changed', 'DomainReset']);
  });

  it('parks a domain of whose changes some stand in no stream, at its start and after a DDL statement', async () => {
    for (const when of ['start', 'ddl'] as const) {
      const log = memoryLog();
      const source = new ScriptedSource();
      const finding = {
        check: 'foreign_key',
        level: 'error',
        found: 'ON DELETE CASCADE',
        needed: '-',
        cure: 'Drop it.',
      };
      const unseen = { ...finding, level: 'error' as const, table: 'orders', unseen: true as const };
      if (when === 'start') source.findings.push(unseen);
      source.add([insert('orders', 1), insert('parcels', 1)]);
      await emitAll(source, [orders, parcels], log, async () => {
        if (when === 'ddl' && source.findings.push(unseen) === 1) {
          source.add([], [{ kind: 'ddl', tables: ['orders'], statement: 'ALTER TABLE orders …' }]);
        }
        return (await readControlState(log)).of('orders').parked !== undefined;
      });
      const { parked } = (await readControlState(log)).of('orders');
      expect(parked).toMatchObject({ cause: 'ON DELETE CASCADE', reseed: true });
      expect(parked?.cure).toMatch(/^Drop it\. Then: .*--reseed/);
      expect((await readControlState(log)).of('parcels').parked).toBeUndefined();
    }
  });

  it('empties and seeds a domain again on request, also one that is not parked; not one that was never seeded', async () => {
    const log = memoryLog();
    const source = new ScriptedSource();
    const state = async (name: string) => (await readControlState(log)).of(name);
    await log.post([
      controlEvent('EtlRequested', { domain: 'orders', run: 'r', chunkRows: 10, maxLoad: null }, 'operator'),
      controlEvent('DomainSeeded', { domain: 'orders', run: 'r', rows: 1 }, 'emitter'),
      controlEvent('ResumeRequested', { domain: 'orders', reseed: true }, 'operator'),
      controlEvent('ResumeRequested', { domain: 'parcels', reseed: true }, 'operator'),
    ]);
    await emitAll(source, [orders, parcels], log, async () => (await eventsOf(log, 'orders')).length > 0);
    expect((await eventsOf(log, 'orders')).map(({ type }) => type)).toEqual(['DomainReset']);
    expect(await eventsOf(log, 'parcels')).toEqual([]);
    expect((await state('orders')).seeded).toBeUndefined();
  });

  it('makes no append of a watermark alone', async () => {
    const log = memoryLog();
    const source = new ScriptedSource();
    const watermark: Change = { table: 'watermark', kind: 'insert', key: ['d'], after: { chunk: 'c', edge: 'low' } };
    const number = async () => (await log.checkpoint('emitter'))?.number ?? 0;
    source.add([insert('orders', 1)]);
    await emitAll(source, [orders], log, async () => (await eventsOf(log, 'orders')).length === 1);
    const before = await number();
    for (let i = 0; i < 30; i++) source.add([watermark]);
    source.add([insert('orders', 2)]);
    await emitAll(source, [orders], log, async () => (await eventsOf(log, 'orders')).length === 2);
    // At the start of the session, with its first heartbeat, and with the order.
    expect((await number()) - before).toBeLessThanOrEqual(3);
  });

  it('parks a seeded domain that begins to capture a column, or comes back after it was left out', async () => {
    const log = memoryLog();
    const source = new ScriptedSource();
    const event = async (n: number) => (await eventsOf(log, 'parcels')).length >= n;
    await log.post([controlEvent('DomainSeeded', { domain: 'orders', run: 'r', rows: 0 }, 'test')]);
    const parkedBy = async () => (await readControlState(log)).of('orders').parked?.cause;
    source.add([insert('parcels', 1)]);
    await emitAll(source, [orders, parcels], log, () => event(1));
    source.add([insert('parcels', 2)]);
    await emitAll(source, [orders, parcels], log, () => event(2));
    expect(await parkedBy()).toBeUndefined();
    source.add([insert('parcels', 3)]);
    await emitAll(source, [parcels], log, () => event(3));
    source.add([insert('parcels', 4)]);
    await emitAll(source, [orders, parcels], log, () => event(4));
    expect(await parkedBy()).toContain('orders.id, orders.text');
  });

  it('goes on after a crash inside a large part that also parks a domain', async () => {
    const log = memoryLog();
    const source = new ScriptedSource();
    const many = Array.from({ length: 2500 }, (_, i) => insert('parcels', i));
    source.add(
      [insert('orders', 1), ...many],
      [{ tables: ['orders'], kind: 'columns', statement: 'a column is missing' }],
    );
    let appends = 0;
    const faulty = faultyLog(log, () => (++appends % 2 === 0 ? 'after' : undefined));
    await emitAll(source, [orders, parcels], faulty, async () => (await eventsOf(log, 'parcels')).length >= 2500);
    expect((await eventsOf(log, 'parcels')).map((event) => Number(event.key))).toEqual(many.map(({ key }) => key[0]));
    expect(await eventsOf(log, parkingTopic('orders'))).toHaveLength(1);
  });

  it('fences an emitter that was paused while another took over', async () => {
    const log = memoryLog();
    const older = await log.writer('emitter');
    const source = new ScriptedSource();
    source.add([insert('orders', 1)]);
    await emitAll(source, [orders], log, async () => (await eventsOf(log, 'orders')).length >= 1);
    await expect(older.append([], {})).rejects.toMatchObject({ code: 'BNY-LOG-FENCED' });
  });
});
