import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { fromNow, keysOf, readTo } from '../contract.ts';
import type { CapturedTables, Source, Transaction } from '../types.ts';
import { startTestServer, type TestServer, type TestSession } from './test-support.ts';

const TABLES: CapturedTables = {
  orders: { key: ['id'], columns: ['id', 'title', 'data'], excluded: ['token'], types: { data: 'json' } },
};

let server: TestServer;
let session: TestSession;
let source: Source;
let begin: Transaction;

beforeAll(async () => {
  server = await startTestServer();
  session = await server.session();
});
beforeEach(async () => {
  await session.sql(
    'CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY, title VARCHAR(100), data LONGTEXT, token VARCHAR(50))',
    'CREATE OR REPLACE TABLE elsewhere (id INT PRIMARY KEY)',
  );
  await open({ tables: TABLES });
});
afterEach(async () => {
  await source.close();
  await session.sql(
    "SET SESSION sql_mode = ''",
    'SET SESSION binlog_format = ROW, binlog_row_image = FULL, binlog_alter_two_phase = OFF, gtid_domain_id = 0',
    'SET GLOBAL binlog_checksum = CRC32, log_bin_compress = OFF, binlog_row_metadata = FULL',
  );
});
afterAll(async () => {
  await session.end();
  await server.dispose();
});

async function open(options: Parameters<TestServer['open']>[0]): Promise<void> {
  source = server.open(options);
  begin = await fromNow(source);
}

async function history(from = begin): Promise<Transaction[]> {
  return readTo(source, from, await source.head());
}

async function disturbances(): Promise<string[]> {
  const all = (await history()).flatMap((transaction) => transaction.disturbances);
  return all.map(({ kind, tables, statement }) => `${kind} ${tables}: ${statement}`);
}

describe('the stream is understood however the server writes it', () => {
  it('with checksums and without, changing on the way, and resumed on both sides of the change', async () => {
    await session.sql(
      'INSERT INTO orders (id) VALUES (1)',
      'SET GLOBAL binlog_checksum = NONE',
      'INSERT INTO orders (id) VALUES (2)',
      'INSERT INTO orders (id) VALUES (3)',
    );
    const fromNone = await fromNow(source);
    await session.sql('INSERT INTO orders (id) VALUES (4)', 'SET GLOBAL binlog_checksum = CRC32');
    await session.sql('INSERT INTO orders (id) VALUES (5)');
    const all = await history();
    expect(keysOf(all)).toEqual([[1], [2], [3], [4], [5]]);
    expect(keysOf(await history(fromNone))).toEqual([[4], [5]]);
    for (const [i, transaction] of all.entries()) expect(await history(transaction)).toEqual(all.slice(i + 1));
  });

  it('with compressed events', async () => {
    await session.sql(
      'SET GLOBAL log_bin_compress = ON',
      `INSERT INTO orders (id, title) VALUES (1, REPEAT('x', 100)), (2, REPEAT('y', 100))`,
      `UPDATE orders SET title = REPEAT('z', 100)`,
      `ALTER TABLE orders ADD COLUMN a_rather_long_name VARCHAR(100), ADD COLUMN another_rather_long_name VARCHAR(100)`,
      'DELETE FROM orders',
    );
    const [inserted, updated, altered, deleted] = await history();
    expect(inserted?.changes.map(({ after }) => after?.['title'])).toEqual(['x'.repeat(100), 'y'.repeat(100)]);
    expect(updated?.changes[1]).toMatchObject({
      before: { title: 'y'.repeat(100) },
      after: { title: 'z'.repeat(100) },
    });
    expect(altered?.disturbances[0]).toMatchObject({ kind: 'ddl', tables: ['orders'] });
    expect(deleted?.changes.length).toBe(2);
  });

  it('across rotations of the log, with the head always within reach', async () => {
    for (let id = 1; id <= 3; id++) {
      await session.sql(`INSERT INTO orders (id) VALUES (${id})`, 'FLUSH BINARY LOGS');
      expect((await readTo(source, begin, await source.head(), { markers: true })).at(-1)?.position).toBe(
        await source.head(),
      );
    }
    const all = await history();
    expect(keysOf(all)).toEqual([[1], [2], [3]]);
    for (const [i, transaction] of all.entries()) expect(await history(transaction)).toEqual(all.slice(i + 1));
  });

  it('in several GTID domains', async () => {
    await session.sql('SET SESSION gtid_domain_id = 7', 'INSERT INTO orders (id) VALUES (1)');
    await session.sql('SET SESSION gtid_domain_id = 0', 'INSERT INTO orders (id) VALUES (2)');
    await session.sql('SET SESSION gtid_domain_id = 7', 'INSERT INTO orders (id) VALUES (3)');
    const all = await history();
    expect(all.map(({ gtid }) => gtid.split('-')[0])).toEqual(['7', '0', '7']);
    for (const [i, transaction] of all.entries()) expect(await history(transaction)).toEqual(all.slice(i + 1));
  });

  it('and is given back when its reader leaves', async () => {
    await session.sql('INSERT INTO orders (id) VALUES (1)');
    await history();
    let dumps = 1;
    while (dumps > 0) {
      const listed = await session.rows(
        "SELECT COUNT(*) AS dumps FROM information_schema.PROCESSLIST WHERE COMMAND = 'Binlog Dump'",
      );
      dumps = Number(listed[0]?.['dumps']);
    }
  });

  it('with rows of more than a network packet', async () => {
    await session.sql('SET GLOBAL max_allowed_packet = 67108864');
    const big = await server.session();
    await big.sql(`INSERT INTO orders (id, title, data) VALUES (1, 'big', CONCAT('"', REPEAT('x', 20000000), '"'))`);
    await big.end();
    expect((await history())[0]?.changes[0]?.after?.['data']).toBe('x'.repeat(20_000_000));
  });

  it('follows tables of another schema under their full name', async () => {
    await session.sql(
      'CREATE DATABASE IF NOT EXISTS banyan',
      'CREATE OR REPLACE TABLE banyan.beat (id INT PRIMARY KEY, n INT)',
    );
    const beat = { key: ['id'], columns: ['id', 'n'] };
    await open({ tables: TABLES, alsoFollow: { schema: 'banyan', tables: { beat } } });
    await session.sql(
      'INSERT INTO banyan.beat VALUES (1, 2)',
      'INSERT INTO orders (id) VALUES (1)',
      'TRUNCATE banyan.beat',
    );
    const [first, second, third] = await history();
    expect(first?.changes).toEqual([{ table: 'banyan.beat', kind: 'insert', key: [1], after: { id: 1, n: 2 } }]);
    expect(second?.changes[0]?.table).toBe('orders');
    expect(third?.disturbances[0]?.tables).toEqual(['banyan.beat']);
  });

  it('keeps to the definition that the rows were written under', async () => {
    await session.sql(
      "INSERT INTO orders (id, title, data) VALUES (1, 'TITLE', '1')",
      'ALTER TABLE orders MODIFY title VARCHAR(100) AFTER data, RENAME COLUMN token TO secret, ADD extra INT FIRST',
      "INSERT INTO orders (id, title, data) VALUES (2, 'TITLE', '2')",
    );
    expect((await history()).flatMap(({ changes }) => changes.map(({ after }) => after))).toEqual([
      { id: 1, title: 'TITLE', data: 1 },
      { id: 2, title: 'TITLE', data: 2 },
    ]);
  });
});

describe('what row changes do not express is told as a disturbance of its table', () => {
  it('DML that is logged as text, without its values', async () => {
    await session.sql(
      'SET SESSION binlog_format = STATEMENT',
      "INSERT INTO orders (id, token) VALUES (1, 'secret')",
      "UPDATE orders SET title = 'secret'",
      'INSERT INTO elsewhere SELECT id FROM orders',
      'DELETE FROM orders',
    );
    expect(await disturbances()).toEqual([
      'statement orders: INSERT orders …',
      'statement orders: UPDATE orders …',
      'statement orders: DELETE orders …',
    ]);
  });

  it('statements as the sql_mode of their session reads them', async () => {
    await session.sql("SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'", 'TRUNCATE TABLE "orders"');
    await session.sql(`ALTER TABLE orders ADD x VARCHAR(50) DEFAULT 'a\\', ADD y VARCHAR(50) DEFAULT ' secret '`);
    expect(await disturbances()).toEqual([
      'truncate orders: TRUNCATE TABLE `orders`',
      'ddl orders: ALTER TABLE orders ADD x VARCHAR (?) DEFAULT ?, ADD y VARCHAR (?) DEFAULT ?',
    ]);
  });

  it('LOAD DATA as text, which zongji does not know', async () => {
    await session.sql(
      `SELECT 1, 'secret' INTO OUTFILE '${server.folder}/loaded'`,
      'SET SESSION binlog_format = STATEMENT',
      `LOAD DATA INFILE '${server.folder}/loaded' INTO TABLE orders (id, title)`,
    );
    expect(await disturbances()).toEqual(['statement orders: LOAD orders …']);
  });

  it('a call of a function that writes, logged as text: all tables', async () => {
    await session.sql(
      'CREATE OR REPLACE FUNCTION touch() RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN DELETE FROM orders; RETURN 1; END',
      'SET SESSION binlog_format = STATEMENT',
      'SELECT touch()',
    );
    expect((await disturbances()).at(-1)).toBe('statement orders: SELECT orders …');
  });

  it('rows that are not logged in full', async () => {
    await session.sql("INSERT INTO orders (id, title) VALUES (1, 'a')", 'SET SESSION binlog_row_image = MINIMAL');
    await session.sql("UPDATE orders SET title = 'b'", 'INSERT INTO elsewhere VALUES (1)');
    const [, partial] = await history();
    expect(partial).toMatchObject({ changes: [], disturbances: [{ kind: 'statement', tables: ['orders'] }] });
    expect(partial?.disturbances[0]?.statement).toContain('binlog_row_image');
  });

  it('prepared XA, and again its commit; its rollback leaves no trace', async () => {
    await session.sql("XA START 'a'", 'INSERT INTO orders (id) VALUES (1)', "XA END 'a'", "XA PREPARE 'a'");
    const between = await history();
    await session.sql("XA COMMIT 'a'", "XA START 'b'", 'INSERT INTO orders (id) VALUES (2)', "XA END 'b'");
    await session.sql("XA PREPARE 'b'", "XA ROLLBACK 'b'");
    await session.sql(
      "XA START 'c'",
      'INSERT INTO elsewhere VALUES (1)',
      "XA END 'c'",
      "XA PREPARE 'c'",
      "XA COMMIT 'c'",
    );
    await session.sql("XA START 'd'", 'INSERT INTO orders (id) VALUES (4)', "XA END 'd'", "XA COMMIT 'd' ONE PHASE");
    expect(await disturbances()).toEqual(['xa orders: XA PREPARE', 'xa orders: XA COMMIT', 'xa orders: XA PREPARE']);
    expect(keysOf(await history())).toEqual([[4]]);
    const all = await history();
    expect(await history(between.at(-1))).toEqual(all.slice(1));
  });

  it('the commit of XA that was prepared before the reading began: all tables', async () => {
    await session.sql("XA START 'a'", 'INSERT INTO orders (id) VALUES (1)', "XA END 'a'", "XA PREPARE 'a'");
    begin = await fromNow(source);
    await session.sql("XA COMMIT 'a'");
    expect(await disturbances()).toEqual(['xa orders: XA COMMIT']);
  });

  it('a declared column that is gone: its rows come without it', async () => {
    await session.sql(
      'ALTER TABLE orders DROP COLUMN title',
      `INSERT INTO orders (id, data) VALUES (1, '{"b":1,"a":2}')`,
    );
    const [, inserted] = await history();
    expect(inserted).toMatchObject({
      changes: [{ kind: 'insert', key: [1], after: { id: 1, data: { a: 2, b: 1 } } }],
      disturbances: [{ kind: 'columns', tables: ['orders'], statement: '`orders`: column `title` is missing' }],
    });
    expect(inserted?.changes[0]?.after).not.toHaveProperty('title');
  });

  it.each([
    ['MODIFY title POINT', 'columns', 'column `title` is GEOMETRY'],
    ['MODIFY data DATE', 'columns', 'column `data` is no text and not binary, declared json'],
    ['MODIFY title VARCHAR(10) CHARACTER SET big5', 'columns', 'column `title` is in charset big5'],
    ['DROP PRIMARY KEY, ADD PRIMARY KEY (id, title)', 'statement', 'the primary key is (id,title), declared is (id)'],
    [
      'DROP PRIMARY KEY, CHANGE id number INT PRIMARY KEY',
      'statement',
      'the primary key is (number), declared is (id)',
    ],
  ])('rows after ALTER TABLE … %s', async (alteration, kind, reason) => {
    await session.sql(
      "SET SESSION sql_mode = ''",
      `ALTER TABLE orders ${alteration}`,
      "INSERT INTO orders SET token = 'x'",
    );
    const [, inserted] = await history();
    expect(inserted?.disturbances).toMatchObject([{ kind, tables: ['orders'] }]);
    expect(inserted?.disturbances[0]?.statement).toContain(reason);
    expect(inserted?.changes.length).toBe(kind === 'columns' ? 1 : 0);
  });

  it('rows behind a column of an old format', async () => {
    await session.sql('SET GLOBAL mysql56_temporal_format = OFF', 'ALTER TABLE orders ADD d DATETIME AFTER id');
    await session.sql('SET GLOBAL mysql56_temporal_format = ON', "INSERT INTO orders (id, d) VALUES (1, '2026-01-01')");
    const [, inserted] = await history();
    expect(inserted).toMatchObject({ changes: [], disturbances: [{ kind: 'statement', tables: ['orders'] }] });
  });

  it('not what was logged as text and rolled back', async () => {
    await session.sql(
      'CREATE OR REPLACE TABLE elsewhere (id INT) ENGINE=MyISAM',
      'SET SESSION binlog_format = STATEMENT',
    );
    await session.sql('BEGIN', 'INSERT INTO orders (id) VALUES (1)', 'INSERT INTO elsewhere VALUES (1)', 'ROLLBACK');
    expect(await disturbances()).toEqual([]);
  });

  it('text that is not JSON in a column declared so: it comes as text', async () => {
    await session.sql("INSERT INTO orders (id, data) VALUES (1, '{not json'), (2, '{not json either')");
    expect((await history())[0]).toMatchObject({
      changes: [{ after: { data: '{not json' } }, { after: { data: '{not json either' } }],
      disturbances: [{ kind: 'columns', statement: '`orders`: column `data` holds text that is not JSON' }],
    });
  });

  it('a table that was swapped for a converted copy: told once, also across a restart, and not of one with more room', async () => {
    const copy = async (alteration: string) => {
      await session.sql('DROP TABLE IF EXISTS _orders_gho, _orders_del', 'CREATE TABLE _orders_gho LIKE orders');
      await session.sql(
        `ALTER TABLE _orders_gho ${alteration}`,
        'RENAME TABLE orders TO _orders_del, _orders_gho TO orders',
      );
    };
    const kinds = (all: Transaction[]) => all.flatMap((each) => each.disturbances.map(({ kind }) => kind));
    await session.sql('ALTER TABLE orders ADD price DECIMAL(6,2)', 'INSERT INTO orders (id) VALUES (1)');
    await source.close();
    const orders = { ...TABLES['orders'], key: ['id'], columns: ['id', 'title', 'price'] };
    await open({ tables: { orders, elsewhere: { key: ['id'], columns: ['id'] } } });
    await session.sql('INSERT INTO orders (id) VALUES (2)');
    await copy('MODIFY price DECIMAL(8,2), MODIFY title VARCHAR(300), MODIFY id BIGINT, ADD x INT');
    await session.sql('INSERT INTO orders (id) VALUES (3)', 'INSERT INTO elsewhere VALUES (1)');
    const roomier = await history();
    expect(kinds(roomier)).toEqual(['ddl']);
    await copy('MODIFY price DECIMAL(8,1)');
    await session.sql('INSERT INTO orders (id) VALUES (4)', 'INSERT INTO orders (id) VALUES (5)');
    const converted = await history(roomier.at(-1));
    expect(kinds(converted)).toEqual(['ddl', 'rewrite']);
    expect(await history(converted.at(-2))).toEqual(converted.slice(-1));
    await session.sql('ALTER TABLE orders MODIFY price DOUBLE', 'INSERT INTO orders (id) VALUES (6)');
    expect(kinds(await history(converted.at(-1)))).toEqual(['rewrite']);
  });

  it('an added column that nothing reads is no disturbance of the rows', async () => {
    await session.sql('ALTER TABLE orders ADD shape POINT', 'INSERT INTO orders (id, shape) VALUES (1, POINT(1, 2))');
    expect((await history())[1]).toMatchObject({ changes: [{ after: { id: 1 } }], disturbances: [] });
  });

  it('an ALTER that is logged in two phases is told once', async () => {
    await session.sql('SET SESSION binlog_alter_two_phase = ON', 'ALTER TABLE orders ADD x INT');
    expect(await disturbances()).toEqual(['ddl orders: ALTER TABLE orders ADD x INT']);
  });
});

describe('what cannot be decoded stops the reading', () => {
  it('rows without the names of their columns', async () => {
    await session.sql('INSERT INTO orders (id) VALUES (0)', 'SET GLOBAL binlog_row_metadata = NO_LOG');
    await session.sql('INSERT INTO elsewhere VALUES (7)');
    await session.sql("INSERT INTO orders (id, token) VALUES (1, 'secret')");
    const failure = await history().catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'BNY-CDC-UNDECODABLE',
      needed: expect.stringMatching(/row_metadata = FULL/),
    });
    expect(JSON.stringify(failure)).not.toContain('secret');
  });

  it('columns declared so that no key is left', () => {
    const declare = (table: Partial<CapturedTables[string]>) => () =>
      server.open({ tables: { orders: { key: ['id'], columns: ['id'], ...table } } });
    expect(declare({ key: [] })).toThrow(/BNY-CDC-SETTINGS/);
    expect(declare({ excluded: ['id'] })).toThrow(/BNY-CDC-SETTINGS/);
    expect(declare({ derived: ['id'] })).toThrow(/BNY-CDC-SETTINGS/);
  });
});
