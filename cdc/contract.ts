import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CapturedTables, Change, Source, Transaction } from './types.ts';

/** The tables that a source under test is opened with. The suite makes them itself. */
export const CONTRACT_TABLES: CapturedTables = {
  orders: { key: ['id'], columns: ['id', 'title', 'total', 'token'], derived: ['total'], excluded: ['token'] },
  lines: { key: ['order_code', 'line'], columns: ['order_code', 'line', 'amount'] },
};

/** Without OR REPLACE, which not every adapter notices of a table that it reads (it has to refuse that by itself). */
export const CONTRACT_SCHEMA = [
  'DROP TABLE IF EXISTS orders, `lines`',
  `CREATE TABLE orders (id INT PRIMARY KEY, title VARCHAR(100), total INT NOT NULL DEFAULT 0,
     token VARCHAR(50) NOT NULL DEFAULT 'top-secret', note VARCHAR(50) NOT NULL DEFAULT 'unread')`,
  `CREATE TABLE \`lines\` (order_code VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci,
     line INT, amount DECIMAL(10,2), PRIMARY KEY (order_code, line))`,
  'CREATE OR REPLACE TABLE elsewhere (id INT PRIMARY KEY)',
];

/** A session of the monolith. */
export interface Session {
  sql(...statements: string[]): Promise<void>;
  end(): Promise<void>;
}

export interface SourceUnderTest {
  session(): Promise<Session>;
  open(options: { tables: CapturedTables; maxPartChanges?: number }): Source;
  dispose(): Promise<void>;
}

/** What every adapter of {@link Source} owes; run it on each. */
export function testSource(name: string, start: () => Promise<SourceUnderTest>): void {
  describe(`${name} keeps the contract of a source`, () => {
    let test: SourceUnderTest;
    let session: Session;
    let source: Source;
    let begin: Transaction;

    beforeAll(async () => {
      test = await start();
      session = await test.session();
    });
    beforeEach(async () => {
      await session.sql(...CONTRACT_SCHEMA);
      source = test.open({ tables: CONTRACT_TABLES, maxPartChanges: 10 });
      begin = await fromNow(source);
    });
    afterEach(() => source.close());
    afterAll(async () => {
      await session.end();
      await test.dispose();
    });

    /** All up to now, read from `from`. */
    const history = async (from = begin) => readTo(source, from, await source.head());

    it('tells where it begins before anything happens', async () => {
      expect(await history()).toEqual([]);
      const [first] = await take(source.read(undefined, new AbortController().signal), 1);
      expect(first).toMatchObject({ changes: [], disturbances: [], part: 0, last: true });
      expect((first?.position ?? '') <= (await source.head())).toBe(true);
    });

    it('delivers inserts, updates and deletes with key, whole rows and time', async () => {
      await session.sql(
        "INSERT INTO orders (id, title) VALUES (1, 'a'), (2, 'b')",
        "UPDATE orders SET title = CONCAT(title, '!')",
        'DELETE FROM orders WHERE id = 1',
      );
      const transactions = await history();
      expect(transactions.map(({ changes }) => changes)).toEqual([
        [
          { table: 'orders', kind: 'insert', key: [1], after: { id: 1, title: 'a' } },
          { table: 'orders', kind: 'insert', key: [2], after: { id: 2, title: 'b' } },
        ],
        [
          { table: 'orders', kind: 'update', key: [1], before: { id: 1, title: 'a' }, after: { id: 1, title: 'a!' } },
          { table: 'orders', kind: 'update', key: [2], before: { id: 2, title: 'b' }, after: { id: 2, title: 'b!' } },
        ],
        [{ table: 'orders', kind: 'delete', key: [1], before: { id: 1, title: 'a!' } }],
      ]);
      for (const { committedAt, part, last } of transactions) {
        expect(new Date(committedAt).toISOString()).toBe(committedAt);
        expect({ part, last }).toEqual({ part: 0, last: true });
      }
      expect(new Set(transactions.map(({ gtid }) => gtid)).size).toBe(3);
    });

    it('delivers transactions whole, in the order in which they committed', async () => {
      const other = await test.session();
      await session.sql('BEGIN', "INSERT INTO orders (id, title) VALUES (1, 'begun first')");
      await other.sql('BEGIN', "INSERT INTO orders (id, title) VALUES (2, 'committed first')");
      await session.sql("INSERT INTO `lines` VALUES ('x', 1, 1.5)");
      await other.sql('DELETE FROM orders WHERE id = 2', 'COMMIT');
      await session.sql('COMMIT');
      await other.end();
      expect((await history()).map(({ changes }) => changes.map(({ kind, key }) => [kind, ...key]))).toEqual([
        [
          ['insert', 2],
          ['delete', 2],
        ],
        [
          ['insert', 1],
          ['insert', 'x', 1],
        ],
      ]);
    });

    it('delivers nothing of what was rolled back', async () => {
      await session.sql(
        'BEGIN',
        "INSERT INTO orders (id, title) VALUES (1, 'kept')",
        'SAVEPOINT s',
        "INSERT INTO orders (id, title) VALUES (2, 'undone')",
        'ROLLBACK TO s',
        'COMMIT',
        'BEGIN',
        'DELETE FROM orders',
        'ROLLBACK',
      );
      expect(JSON.stringify(await history())).not.toContain('undone');
      expect(keysOf(await history())).toEqual([[1]]);
    });

    it('delivers a changed key as a delete and an insert that name each other', async () => {
      await session.sql(
        "INSERT INTO `lines` VALUES ('abc', 1, 1)",
        "UPDATE `lines` SET line = 2 WHERE order_code = 'abc'",
        "UPDATE `lines` SET order_code = 'ABC'",
        "UPDATE `lines` SET order_code = 'ABC '",
      );
      const changes = (await history()).slice(1).map((transaction) => transaction.changes);
      const row = (order_code: string, line: number) => ({ order_code, line, amount: '1.00' });
      const moved = (from: [string, number], to: [string, number]): Change[] => [
        { table: 'lines', kind: 'delete', key: from, before: row(...from), linkedKey: to },
        { table: 'lines', kind: 'insert', key: to, after: row(...to), linkedKey: from },
      ];
      expect(changes).toEqual([
        moved(['abc', 1], ['abc', 2]),
        moved(['abc', 2], ['ABC', 2]),
        moved(['ABC', 2], ['ABC ', 2]),
      ]);
    });

    it('gives positions that grow, and a head that a reader who has read all stands at', async () => {
      for (let id = 1; id <= 20; id++) {
        await session.sql(`INSERT INTO orders (id) VALUES (${id})`);
        const head = await source.head();
        const transactions = await readTo(source, begin, head, { markers: true });
        const positions = transactions.map(({ position }) => position);
        expect(positions.every((position, i) => i === 0 || position > (positions[i - 1] ?? ''))).toBe(true);
        expect(positions.at(-1)).toBe(head);
        expect(keysOf(transactions).at(-1)).toEqual([id]);
      }
    });

    it('passes over other tables, and its position moves on all the same', async () => {
      for (let id = 1; id <= 20; id++) await session.sql(`INSERT INTO elsewhere VALUES (${id})`);
      const head = await source.head();
      const batches = await batchesTo(source, begin, head);
      expect(batches.flat().at(-1)?.position).toBe(head);
      for (const batch of batches) {
        expect(batch.flatMap(({ changes }) => changes)).toEqual([]);
        expect(batch.length).toBe(1);
      }
    });

    it('cuts a large transaction in the same parts on every reading, never a changed key', async () => {
      await session.sql('BEGIN', ...insertsOf(1, 95), 'UPDATE orders SET id = id + 1000 WHERE id > 80', 'COMMIT');
      const first = await history();
      const shape = first.map(({ part, last, changes }) => ({ part, last, count: changes.length }));
      expect(shape.map(({ part }) => part)).toEqual(shape.map((_, i) => i));
      expect(shape.map(({ last }) => last)).toEqual(shape.map((_, i) => i === shape.length - 1));
      expect(Math.max(...shape.map(({ count }) => count))).toBeLessThanOrEqual(11);
      expect(shape.reduce((sum, { count }) => sum + count, 0)).toBe(125);
      expect(new Set(first.map(({ gtid }) => gtid)).size).toBe(1);
      for (const { changes } of first) expect(changes.at(-1)?.kind === 'delete').toBe(false);
      expect(await history()).toEqual(first);
    });

    it('goes on behind any resume point, without gap and without repetition', async () => {
      await session.sql(...workload());
      const all = await history();
      expect(all.length).toBeGreaterThan(20);
      for (const [i, transaction] of all.entries()) {
        expect(await history(JSON.parse(JSON.stringify(transaction)))).toEqual(all.slice(i + 1));
      }
    });

    it('goes on when its reader dies at any batch', async () => {
      await session.sql(...workload());
      const all = await history();
      const read: Transaction[] = [];
      while (read.length < all.length) {
        const batches = source.read((read.at(-1) ?? begin).resume, new AbortController().signal);
        // The reader takes a batch, handles some of it, and is gone.
        const [batch] = await takeBatches(batches, 1);
        const some = (batch ?? []).slice(0, 1 + (read.length % 3)).filter(hasContent);
        read.push(...some);
      }
      expect(read).toEqual(all);
    });

    it('goes on under another part size', async () => {
      await session.sql('BEGIN', ...insertsOf(1, 50), 'COMMIT');
      const [, second] = await history();
      const other = test.open({ tables: CONTRACT_TABLES, maxPartChanges: 7 });
      const rest = await readTo(other, second as Transaction, await other.head());
      expect(keysOf(rest)).toEqual(Array.from({ length: 30 }, (_, i) => [21 + i]));
      await other.close();
    });

    it('waits for what comes, and ends when it is told to', async () => {
      const stop = new AbortController();
      const seen: Transaction[] = [];
      const reading = (async () => {
        for await (const batch of source.read(begin.resume, stop.signal)) {
          seen.push(...batch.filter(hasContent));
          if (seen.length === 2) stop.abort();
        }
      })();
      await session.sql("INSERT INTO orders (id, title) VALUES (1, 'now')");
      await session.sql("INSERT INTO orders (id, title) VALUES (2, 'later')");
      await reading;
      expect(keysOf(seen)).toEqual([[1], [2]]);
    });

    it('puts statements about whole tables in their place', async () => {
      await session.sql(
        'INSERT INTO orders (id) VALUES (1)',
        "ALTER TABLE orders ADD extra VARCHAR(20) DEFAULT 'a literal'",
        'INSERT INTO orders (id) VALUES (2)',
        'TRUNCATE TABLE `lines`',
        'INSERT INTO orders (id) VALUES (3)',
        'CREATE OR REPLACE TABLE elsewhere (id INT PRIMARY KEY)',
      );
      const transactions = await history();
      const told = transactions.map(({ changes, disturbances }) => [
        ...changes.map(({ key }) => key[0]),
        ...disturbances.map(({ kind, tables }) => `${kind} ${tables}`),
      ]);
      expect(told).toEqual([[1], ['ddl orders'], [2], ['truncate lines'], [3]]);
      expect(JSON.stringify(transactions)).not.toContain('literal');
    });

    it('lets no value of an excluded column out, nor of one that is not declared', async () => {
      await session.sql(
        "INSERT INTO orders (id, title) VALUES (1, 'a')",
        "UPDATE orders SET token = 'another-secret', total = 777, note = 'unread too'",
        "UPDATE orders SET title = 'b'",
      );
      const text = JSON.stringify(await history());
      expect(text).toContain('"b"');
      expect(text).not.toMatch(/secret|unread|777|token|note|total/);
    });
  });
}

/** A history with every kind of transaction, some of them large. */
function workload(): string[] {
  return [
    ...insertsOf(1, 5),
    'BEGIN',
    ...insertsOf(6, 40),
    'COMMIT',
    'UPDATE orders SET id = id + 100',
    'INSERT INTO elsewhere VALUES (1)',
    "INSERT INTO `lines` VALUES ('a', 1, 1), ('a', 2, 2)",
    'TRUNCATE TABLE `lines`',
    'DELETE FROM orders WHERE id > 130',
    'INSERT INTO elsewhere VALUES (2)',
    "UPDATE orders SET title = 'last'",
  ];
}

function insertsOf(from: number, to: number): string[] {
  return Array.from(
    { length: to - from + 1 },
    (_, i) => `INSERT INTO orders (id, title) VALUES (${from + i}, 't${i}')`,
  );
}

export function hasContent({ changes, disturbances }: Transaction): boolean {
  return changes.length > 0 || disturbances.length > 0;
}

export function keysOf(transactions: readonly Transaction[]): Change['key'][] {
  return transactions.flatMap(({ changes }) => changes.map(({ key }) => key));
}

/** The empty transaction that a reader gets who starts now. */
export async function fromNow(source: Source): Promise<Transaction> {
  const [first] = await take(source.read(undefined, new AbortController().signal), 1);
  if (!first) throw new Error('nothing read');
  return first;
}

/** Everything with content up to a position; with `markers`, everything. */
export async function readTo(
  source: Source,
  from: Transaction,
  head: string,
  { markers = false } = {},
): Promise<Transaction[]> {
  const all = (await batchesTo(source, from, head)).flat();
  return markers ? all : all.filter(hasContent);
}

async function batchesTo(source: Source, from: Transaction, head: string): Promise<Transaction[][]> {
  const batches: Transaction[][] = [];
  if (from.last && from.position >= head) return batches;
  for await (const batch of source.read(from.resume, new AbortController().signal)) {
    batches.push(batch);
    const newest = batch.at(-1);
    if (newest?.last && newest.position >= head) break;
  }
  return batches;
}

async function take(batches: AsyncIterable<Transaction[]>, count: number): Promise<Transaction[]> {
  return (await takeBatches(batches, count)).flat();
}

async function takeBatches(batches: AsyncIterable<Transaction[]>, count: number): Promise<Transaction[][]> {
  const taken: Transaction[][] = [];
  for await (const batch of batches) {
    taken.push(batch);
    if (taken.length === count) break;
  }
  return taken;
}
