import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { fromNow, keysOf, readTo } from '../contract.ts';
import type { CapturedTables, Source, Transaction } from '../types.ts';
import { startTestServer, type TestServer, type TestSession } from './test-support.ts';

const TABLES: CapturedTables = { orders: { key: ['id'], columns: ['id'] } };

/** A temporary table cannot be rolled back: from here on the binlog holds the rows of a transaction and then ROLLBACK. */
const SPOILED = 'CREATE OR REPLACE TEMPORARY TABLE scratch (i INT)';

const insert = (from: number, to = from) => `INSERT INTO orders SELECT seq FROM seq_${from}_to_${to}`;

describe('what is rolled back although the binlog holds its rows', () => {
  let server: TestServer;
  let session: TestSession;
  let begin: Transaction;
  let source: Source;

  beforeAll(async () => {
    server = await startTestServer();
    session = await server.session();
  });
  beforeEach(async () => {
    await session.sql('CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY)');
    source = server.open({ tables: TABLES, maxPartChanges: 5 });
    begin = await fromNow(source);
  });
  afterAll(async () => {
    await session.end();
    await server.dispose();
  });

  /** Everything since the beginning; what is read on from any of its parts must be the rest, also with other cuts. */
  async function history(): Promise<Transaction[]> {
    const head = await source.head();
    const all = await readTo(source, begin, head);
    for (const maxPartChanges of [5, 7]) {
      const other = server.open({ tables: TABLES, maxPartChanges });
      for (const [i, transaction] of all.entries()) {
        expect(await readTo(other, transaction, head)).toEqual(all.slice(i + 1));
      }
      await other.close();
    }
    return all;
  }

  const partsOf = (all: Transaction[]) => all.map(({ changes }) => changes.map(({ key }) => Number(key[0])));
  const told = (all: Transaction[]) => all.flatMap(({ disturbances }) => disturbances.map(({ kind }) => kind));

  it('is not delivered: a whole transaction, and what follows a savepoint', async () => {
    await session.sql('BEGIN', insert(1, 2), SPOILED, 'ROLLBACK');
    await session.sql('BEGIN', insert(3), 'SAVEPOINT a', SPOILED, insert(4), 'ROLLBACK TO a', insert(5), 'COMMIT');
    await session.sql(
      'BEGIN',
      'SAVEPOINT `A b`',
      SPOILED,
      insert(6),
      'ROLLBACK TO SAVEPOINT `a B`',
      insert(7),
      'COMMIT',
    );
    const all = await history();
    expect(keysOf(all)).toEqual([[3], [5], [7]]);
    expect(told(all)).toEqual([]);
  });

  it('is not delivered of a part that was not full yet', async () => {
    await session.sql(
      'BEGIN',
      insert(1, 6),
      'SAVEPOINT a',
      SPOILED,
      insert(7, 8),
      'ROLLBACK TO a',
      insert(9, 14),
      'COMMIT',
    );
    const all = await history();
    expect(partsOf(all)).toEqual([
      [1, 2, 3, 4, 5],
      [6, 9, 10, 11, 12],
      [13, 14],
    ]);
    expect(told(all)).toEqual([]);
  });

  it('is told with its tables when earlier parts were delivered, and the stream goes on', async () => {
    await session.sql('BEGIN', insert(1, 12), SPOILED, 'ROLLBACK', insert(20));
    const all = await history();
    expect(partsOf(all)).toEqual([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [], [20]]);
    expect(all[2]?.disturbances).toMatchObject([{ kind: 'rollback', tables: ['orders'] }]);
  });

  it('is told when the savepoint lies in an earlier part', async () => {
    await session.sql(
      'BEGIN',
      insert(1, 3),
      'SAVEPOINT a',
      SPOILED,
      insert(4, 7),
      'ROLLBACK TO a',
      insert(8),
      'COMMIT',
    );
    const all = await history();
    expect(partsOf(all)).toEqual([[1, 2, 3, 4, 5], [8]]);
    expect(all[1]?.disturbances).toMatchObject([{ kind: 'rollback', tables: ['orders'] }]);
  });
});
