import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import type { Cursors } from '../../../log/index.ts';
import { defineEvents } from '../events.ts';
import { defineProjection, ignore, type Projection } from '../projection.ts';
import type { Table } from '../table.ts';
import { Fold } from './fold.ts';
import { type Lease, NOTHING_APPLIED, type Store, type StoreOrigin, type Stores } from './types.ts';

export interface StoresUnderTest {
  open(origin: StoreOrigin): Stores;
  /** On a connection of its own, as an operator would; the store's tables by their plain names. */
  sql(store: string, text: string): Promise<void>;
  /** Names of everything that the stores have left somewhere. */
  traces(): Promise<string[]>;
  dispose(): Promise<void>;
}

type Thing = { name: string; n: number; x: number | null; note: string | null; doc: unknown };

const events = defineEvents('things', { ThingSet: z.object({ name: z.string() }) });

function projectionOf(columns: object = {}): Projection {
  const things = {
    from: 'things',
    columns: { doc: 'json?', x: 'real?', n: 'integer', note: 'text?', name: 'text', ...columns },
    key: ['name', 'n'],
    indexes: [['note'], ['n'], ['note', 'name', 'x']],
  } as const;
  const others = { from: 'things', columns: { id: 'integer' }, key: ['id'] } as const;
  return defineProjection({ things, others }, (on) => [on(events, { ThingSet: ignore })]);
}

const PROJECTION = projectionOf();
const THINGS = PROJECTION.tables.get('things') as Table;
const OTHERS = PROJECTION.tables.get('others') as Table;
const ORIGIN: StoreOrigin = { projection: PROJECTION, logIdentity: 'this log', partitions: {} };

function thing(name: string, rest: Partial<Thing> = {}): Thing {
  return { name, n: 1, x: null, note: null, doc: null, ...rest };
}

/** What all adapters must hash alike: each row's values as JSON, in the order of the keys' bytes. */
function hashOf(things: readonly Thing[], others: readonly number[] = []): string {
  const bytes = ({ name }: Thing) => Buffer.from(name);
  const sorted = things.toSorted((a, b) => Buffer.compare(bytes(a), bytes(b)) || a.n - b.n);
  const rows = sorted.map((row) => `${JSON.stringify(THINGS.values({ ...row }))}\n`.toWellFormed());
  const text = `things\n${rows.join('')}others\n${others.map((id) => `[${id}]\n`).join('')}`;
  return createHash('sha256').update(text).digest('hex');
}

/** Values that one database or the other would bend. */
const VALUES: readonly [string, Partial<Thing>][] = [
  ['nothing', {}],
  ['empty text', { note: '' }],
  ['emoji', { note: '🎈👩‍👩‍👧 é e\u0301 ß İ' }],
  ['a text of 64 kB and more', { note: '🌳a'.repeat(20_000) }],
  ['what SQL could misread', { note: `'"\`\\ \\' \\% ? :x -- /* \0 \n \r \t \x1a \\N` }],
  ['spaces around', { note: '  a  ' }],
  ['decimals as text', { note: '-00630.50' }],
  ['integers beyond 2^53 as text', { note: '18446744073709551615' }],
  ['the largest safe integer', { n: Number.MAX_SAFE_INTEGER }],
  ['the smallest', { n: Number.MIN_SAFE_INTEGER }],
  ...[0.1, -1.5, 1 / 3, 1e21, 1e-7, 5e-324, Number.MAX_VALUE, 0.1 + 0.2, 9.100002716047399, 3, -0, 2 ** 53 + 2].map(
    (x): [string, Partial<Thing>] => [`the real ${x}`, { x }],
  ),
  ['a document', { doc: { z: [1, 2.5, null, true], a: { é: '🌳"\\' }, n: 9007199254740991 } }],
  ['an empty document', { doc: {} }],
  ['false', { doc: false }],
  ['zero', { doc: 0 }],
  ['text in a document', { doc: 'null' }],
];

/** What every adapter of {@link Stores} owes; run it on each. */
export function testStores(adapter: string, make: () => Promise<StoresUnderTest>): void {
  describe(`${adapter} keeps the contract of the stores`, () => {
    let test: StoresUnderTest;
    let stores: Stores;
    const leases: Lease[] = [];
    const leaseOf = async (name: string, of = stores) => {
      const lease = (await of.lease(name)) as Lease;
      leases.push(lease);
      return lease;
    };
    const open = async (name: string) => (await leaseOf(name)).open();
    beforeEach(async () => {
      test = await make();
      stores = test.open(ORIGIN);
    });
    afterEach(async () => {
      await Promise.all(leases.splice(0).map((lease) => lease.release()));
      await test.dispose();
    });

    const read = async (name: string): Promise<Thing[]> => {
      const reader = stores.reader(name);
      try {
        return await reader.read(async (db) => db('things').orderBy('name').orderBy('n'));
      } finally {
        await reader.close();
      }
    };
    const names = async (name = '1') => (await read(name)).map((row) => row.name);

    it('begins empty, before every event', async () => {
      const store = await open('1');
      expect(await store.cursors()).toEqual({ things: [{ offset: -1, id: '' }] });
      expect(await store.applied()).toEqual(NOTHING_APPLIED);
      expect(await store.hash()).toBe(hashOf([]));
    });

    it.each(VALUES)('keeps %s as it is, and hashes it as every other adapter does', async (_, values) => {
      const store = await open('1');
      const row = thing('a', values);
      await put(store, row);
      const [found] = await read('1');
      const doc = row.doc === null ? null : JSON.stringify(row.doc);
      // A document comes as its text; no JSON tells one zero from the other.
      expect(JSON.stringify(found)).toBe(JSON.stringify({ doc, x: row.x, n: row.n, note: row.note, name: 'a' }));
      expect(await store.hash()).toBe(hashOf([row]));
    });

    it('tells keys apart by their bytes, and orders by them', async () => {
      const store = await open('1');
      const keys = ['', ' ', 'A', 'A ', 'B', 'a', 'a ', 'a\t', 'a  ', 'ab', 'e\u0301', 'é', 'ß', 'ss', '\uffee', '🎈'];
      const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      await put(store, ...keys.map((name) => thing(name)));
      expect(await names()).toEqual(sorted);
      expect(await store.hash()).toBe(hashOf(keys.map((name) => thing(name))));
      const fold = new Fold();
      fold.delete(THINGS, ['a', 1]);
      await step(store, fold);
      expect(await names()).toEqual(sorted.filter((name) => name !== 'a'));
      const reader = stores.reader('1');
      const found = await reader.read((db) => db('things').where({ name: 'A' }).pluck('name'));
      await reader.close();
      expect(found).toEqual(['A']);
    });

    it('hashes many rows alike, whatever batches they came in', async () => {
      const rows = Array.from({ length: 1700 }, (_, i) => thing(`k${i % 3}`, { n: (i * 7919) % 1700, note: `${i}` }));
      const [one, two] = [await open('1'), await open('2')];
      await put(one, ...rows);
      for (let i = 0; i < rows.length; i += 300) await put(two, ...rows.slice(i, i + 300).reverse());
      expect(await one.hash()).toBe(hashOf(rows));
      expect(await two.hash()).toBe(hashOf(rows));
      await put(two, thing('k0', { n: 0, note: 'other' }));
      expect(await two.hash()).not.toBe(hashOf(rows));
    });

    it('writes a batch that is larger than a statement may be', async () => {
      const store = await open('1');
      const rows = Array.from({ length: 40 }, (_, n) => thing('a', { n, note: `${n}`.repeat(500_000) }));
      await put(store, ...rows);
      expect(await store.hash()).toBe(hashOf(rows));
    }, 120_000);

    const puts = (name: string) => (fold: Fold) => fold.put(THINGS, thing(name));
    const deletes = (name: string, n: number) => (fold: Fold) => fold.delete(THINGS, [name, n]);
    const clears = (fold: Fold) => fold.clear(THINGS);
    it.each<[string, ((fold: Fold) => void)[], string[]]>([
      ['removes a row that it puts and then deletes', [puts('a'), deletes('a', 1)], ['b']],
      ['keeps a row that it deletes and then puts', [deletes('a', 1), puts('a')], ['a', 'b']],
      ['keeps after a clear only what it puts then', [puts('d'), clears, puts('c')], ['c']],
      ['lets a row alone that it does not name', [deletes('b', 2)], ['a', 'b']],
    ])('%s', async (_, batch, left) => {
      const store = await open('1');
      await put(store, thing('a'), thing('b'));
      const fold = new Fold();
      for (const change of batch) change(fold);
      await step(store, fold);
      expect(await names()).toEqual(left);
    });

    it('sets every column of a row that is there, and rows that are all key', async () => {
      const store = await open('1');
      await put(store, thing('a', { note: 'x', x: 1, doc: [1] }));
      await put(store, thing('a', { note: 'y' }));
      const fold = new Fold();
      for (const id of [2, 1]) fold.put(OTHERS, { id });
      await step(store, fold);
      fold.put(OTHERS, { id: 3 });
      await step(store, fold);
      expect(await store.hash()).toBe(hashOf([thing('a', { note: 'y' })], [1, 2, 3]));
    });

    it('moves the cursors with the rows, or neither', async () => {
      const store = await open('1');
      const before = await store.cursors();
      await put(store, thing('a'));
      const after = await store.cursors();
      expect(after).toEqual({ things: [{ offset: 0, id: 'e0' }] });
      const fold = new Fold();
      fold.put(THINGS, thing('b'));
      const again = store.commit(fold, before, { things: [{ offset: 1, id: 'e1' }] });
      await expect(again).rejects.toMatchObject({ code: 'BNY-SERVICE-STORE-TAKEN', retryable: true });
      expect(await names()).toEqual(['a']);
      expect(await store.cursors()).toEqual(after);
    });

    it('says how far it is, to who writes and to who reads', async () => {
      expect(await stores.peek('1')).toBeUndefined();
      const store = await open('1');
      expect(await stores.peek('1')).toEqual(NOTHING_APPLIED);
      await store.setApplied({ position: '7', freshAt: 7 });
      await store.setApplied({ position: '8', freshAt: 9 });
      const reader = stores.reader('1');
      const seen = await reader.read(async (_, applied) => applied);
      await reader.close();
      expect([seen, await stores.peek('1'), await store.applied()]).toEqual(
        Array(3).fill({ position: '8', freshAt: 9 }),
      );
    });

    it('gives one the right to write at a time, and the next when it is let go of', async () => {
      const lease = await leaseOf('1');
      expect(await stores.lease('1')).toBeUndefined();
      expect(await test.open(ORIGIN).lease('1')).toBeUndefined();
      await leaseOf('2');
      expect(lease.lost.aborted).toBe(false);
      const store = await lease.open();
      await put(store, thing('a'));
      await store.close();
      await lease.release();
      const next = await open('1');
      expect(await next.cursors()).toEqual({ things: [{ offset: 0, id: 'e0' }] });
    });

    it('reads at one moment, and only reads', async () => {
      const store = await open('1');
      await put(store, thing('a'));
      const reader = stores.reader('1');
      const seen = await reader.read(async (db, { position }) => {
        await put(store, thing('b'));
        await store.setApplied({ position: '9', freshAt: 9 });
        return [position, await db('things').pluck('name')];
      });
      expect(seen).toEqual(['', ['a']]);
      expect(await reader.read((db) => db('things').orderBy('name').pluck('name'))).toEqual(['a', 'b']);
      await expect(reader.read((db) => db('things').delete())).rejects.toThrow(/readonly|READ ONLY/);
      await reader.close();
      expect(await names()).toEqual(['a', 'b']);
    });

    it('reads on after a query that failed', async () => {
      await put(await open('1'), thing('a'));
      const reader = stores.reader('1');
      for (let i = 0; i < 12; i++) await expect(reader.read((db) => db('nothing'))).rejects.toThrow(/nothing/);
      expect(await reader.read((db) => db('things').pluck('name'))).toEqual(['a']);
      await reader.close();
    });

    it('counts and sums as numbers, and joins texts whole', async () => {
      const long = Array.from({ length: 400 }, (_, n) => thing(`${n}`.padStart(40, 'x'), { n, x: 0.5 }));
      await put(await open('1'), ...long);
      const reader = stores.reader('1');
      const [sums] = await reader.read(async (db) => db('things').sum({ n: 'n', x: 'x' }).count({ all: '*' }));
      const [joined] = await reader.read((db) => db('things').select(db.raw('GROUP_CONCAT(name) AS text')));
      await reader.close();
      expect(sums).toEqual({ n: 79_800, x: 200, all: 400 });
      expect(joined.text).toHaveLength(400 * 41 - 1);
    });

    it('freezes a store as it stands, while that is written', async () => {
      const store = await open('1');
      await put(store, thing('a'));
      await store.setApplied({ position: '7', freshAt: 7 });
      const before = await test.traces();
      const frozen = await stores.freeze('1', '2');
      await put(store, thing('a', { note: 'later' }), thing('b'));
      expect(await frozen.hash()).toBe(hashOf([thing('a')]));
      expect(await frozen.cursors()).toEqual({ things: [{ offset: 0, id: 'e0' }] });
      expect(await frozen.applied()).toEqual({ position: '7', freshAt: 7 });
      await put(await open('2'), thing('a'));
      expect(await frozen.differences('2')).toEqual([]);
      await frozen.close();
      expect((await test.traces()).filter((name) => !/_2$|\.2\./.test(name))).toEqual(before);
    });

    it('names the rows that differ from a frozen store, and no more than asked for', async () => {
      const many = Array.from({ length: 600 }, (_, n) => thing('m', { n: n - 3 }));
      await put(await open('1'), ...many, thing('a'), thing('b', { note: 'x', x: 1 }));
      await put(await open('2'), ...many, thing('A'), thing('b', { note: 'y', x: 2 }));
      const frozen = await stores.freeze('1', '2');
      const found = await frozen.differences('2');
      const few = await frozen.differences('2', 2);
      await frozen.close();
      const byKey = found.toSorted((a, b) => (String(a.key) < String(b.key) ? -1 : 1));
      expect(byKey).toEqual([
        { table: 'things', key: ['A', 1], kind: 'extra', columns: [] },
        { table: 'things', key: ['a', 1], kind: 'missing', columns: [] },
        { table: 'things', key: ['b', 1], kind: 'different', columns: ['x', 'note'] },
      ]);
      expect(few).toHaveLength(2);
    });

    it('begins anew after a clear, under the same right', async () => {
      const lease = await leaseOf('1');
      await put(await lease.open(), thing('a'));
      await lease.clear();
      expect(await stores.peek('1')).toBeUndefined();
      expect(await stores.lease('1')).toBeUndefined();
      const again = await lease.open();
      expect(await again.cursors()).toEqual({ things: [{ offset: -1, id: '' }] });
      await put(again, thing('b'));
      expect(await names()).toEqual(['b']);
    });

    it('leaves nothing of a store that is dropped, and lets the others be', async () => {
      const lease = await leaseOf('1');
      await (await lease.open()).close();
      await put(await open('2'), thing('a'));
      const before = await test.traces();
      await lease.release();
      await stores.drop('1');
      await stores.drop('1');
      const gone = before.filter((name) => /_1$|\.1\./.test(name));
      expect(gone.length).toBeGreaterThan(0);
      expect(await test.traces()).toEqual(before.filter((name) => !gone.includes(name)));
      expect(await names('2')).toEqual(['a']);
    });

    it.each([
      ['log', { logIdentity: 'another' }, 'BNY-SERVICE-STORE-LOG'],
      ['projection', { projection: projectionOf({ more: 'text?' }) }, 'BNY-SERVICE-STORE-SCHEMA'],
    ])('is not taken for the store of another %s', async (_, other, code) => {
      const lease = await leaseOf('1');
      await (await lease.open()).close();
      await lease.release();
      const others = test.open({ ...ORIGIN, ...other });
      await expect((await leaseOf('1', others)).open()).rejects.toMatchObject({ code });
      await expect(others.peek('1')).rejects.toMatchObject({ code });
      await expect(others.freeze('1', '2')).rejects.toMatchObject({ code });
    });

    it('writes nothing of a batch when one of its rows is refused', async () => {
      const store = await open('1');
      await put(store, thing('a'));
      await test.sql('1', 'CREATE TRIGGER fault BEFORE INSERT ON things FOR EACH ROW @REFUSE@');
      await expect(put(store, thing('b'), thing('broken'))).rejects.toThrow(/refused/);
      await test.sql('1', 'DROP TRIGGER fault');
      expect(await names()).toEqual(['a']);
      await put(store, thing('b'));
      expect(await names()).toEqual(['a', 'b']);
    });

    it('says how a store is removed', () => {
      expect(stores.removal('1')).toMatch(/[._]1/);
    });
  });
}

/** Commits a batch of its own. */
async function step(store: Store, fold: Fold): Promise<void> {
  const before = await store.cursors();
  const offset = (before['things']?.[0]?.offset ?? -1) + 1;
  const after: Cursors = { things: [{ offset, id: `e${offset}` }] };
  await store.commit(fold, before, after);
}

async function put(store: Store, ...rows: Thing[]): Promise<void> {
  const fold = new Fold();
  for (const row of rows) fold.put(THINGS, row);
  await step(store, fold);
}
