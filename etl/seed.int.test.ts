import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mysql, { type Connection } from 'mysql2/promise';
import pino from 'pino';
import { openBinlogSource } from '../cdc/binlog/index.ts';
import { EmitterDatabase } from '../cdc/emitter/database.ts';
import { emit } from '../cdc/emitter/emitter.ts';
import type { CapturedDomain, CapturedTable, CapturedTables, Change, Row } from '../cdc/index.ts';
import { installSql } from '../cdc/schema/install.ts';
import { describeTable } from '../cdc/values/describe.ts';
import { compileSelect } from '../cdc/values/select.ts';
import { controlEvent, fromStart, openSqliteLog, readControlState, type SqliteLog, topicsFor } from '../log/index.ts';
import { type Mariadb, startMariadb } from '../scripts/lib/mariadb.ts';
import { randomFrom } from '../scripts/traffic/random.ts';
import { connectForSeed } from './connect.ts';
import { EtlSeeder } from './seeder.ts';

/** A table, and how to make its n-th key as SQL. */
interface KeyKind {
  columns: string;
  key: string[];
  nth(n: number): string[];
}

const KINDS: Record<string, KeyKind> = {
  signed: { columns: 'id INT', key: ['id'], nth: (n) => [String(n - 500)] },
  unsigned: {
    columns: 'id BIGINT UNSIGNED',
    key: ['id'],
    nth: (n) => [String(18_446_744_073_709_550_000n + BigInt(n))],
  },
  composite: { columns: 'a SMALLINT, b VARCHAR(20)', key: ['a', 'b'], nth: (n) => [String(n % 7), `'k${n}'`] },
  insensitive: {
    columns: 'id VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci',
    key: ['id'],
    nth: (n) => [`'${['é', 'E', 'ß', 'z', 'Ω', '_'][n % 6]}-${n}'`],
  },
  latin: {
    columns: 'id VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci',
    key: ['id'],
    nth: (n) => [`'${['å', 'A', 'ö'][n % 3]}${n}'`],
  },
  binary: {
    columns: 'id BINARY(8)',
    key: ['id'],
    nth: (n) => [`X'${(n * 2_654_435_761).toString(16).padStart(16, '0').slice(-16)}'`],
  },
  moment: {
    columns: 'at DATETIME(3), n INT',
    key: ['at', 'n'],
    nth: (n) => [`'2026-01-01 00:00:0${n % 10}.${String(n % 1000).padStart(3, '0')}'`, String(n)],
  },
  amount: {
    columns: 'id DECIMAL(20,4)',
    key: ['id'],
    nth: (n) => [`${n * 3 - 700}.${String(n % 10000).padStart(4, '0')}`],
  },
};
const ROWS = 1200;

describe('a seed under live writes', () => {
  let server: Mariadb;
  let folder: string;
  let log: SqliteLog;
  const logger = pino({ level: 'silent' });
  const tables: CapturedTables = Object.fromEntries(
    Object.entries(KINDS).map(([name, { key }]): [string, CapturedTable] => [
      name,
      { key, columns: [...key, 'version', 'text'] },
    ]),
  );
  const domain: CapturedDomain = {
    name: 'kinds',
    tables,
    capture: Object.fromEntries(
      Object.keys(KINDS).map((table) => [
        table,
        (change: Change) => ({ type: 'RowSet', key: table, data: data(change) }),
      ]),
    ),
    encode: ({ data: content }) => ({ version: 1, data: JSON.stringify(content) }),
  };

  beforeAll(async () => {
    server = await startMariadb();
    folder = await mkdtemp(join(tmpdir(), 'banyan-seed-'));
    log = openSqliteLog({ file: join(folder, 'log.sqlite'), topics: topicsFor({ kinds: {} }) });
    const root = await connect(server);
    await root.query('CREATE DATABASE shop CHARACTER SET utf8mb4');
    for (const sql of installSql({ banyanSchema: 'banyan', schema: 'shop', user: 'banyan', password: 'p' }))
      await root.query(sql);
    // Drawn under the row's lock, so that the versions of a row grow in the order of its commits.
    await root.query('CREATE SEQUENCE shop.version');
    for (const [name, { columns, key, nth }] of Object.entries(KINDS)) {
      await root.query(
        `CREATE TABLE shop.${name} (${columns}, version BIGINT, text VARCHAR(100), PRIMARY KEY (${key.join(', ')}))`,
      );
      const values = Array.from({ length: ROWS }, (_, n) => `(${nth(n).join(', ')}, 0, 'as filled')`);
      await root.query(`INSERT INTO shop.${name} VALUES ${values.join(', ')}`);
    }
    await root.end();
  });

  afterAll(async () => {
    await log.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('ends with the log equal to the tables, over every kind of key, with restarts in between', async () => {
    const writing = new AbortController();
    const writers = [1, 2, 3].map((seed) => write(server, seed, writing.signal));
    await log.post([
      controlEvent('EtlRequested', { domain: 'kinds', run: 'r1', chunkRows: 50, maxLoad: null }, 'test'),
    ]);
    const random = randomFrom(7);
    let sessions = 0;
    while (!(await readControlState(log)).of('kinds').seeded) {
      // The first sessions are cut off at any moment, as by a kill; what they left in the log is all that counts.
      await session(
        sessions++ < 25 ? 50 + random() * 300 : 60_000,
        async () => (await readControlState(log)).of('kinds').seeded !== undefined,
      );
    }
    expect(sessions).toBeGreaterThan(3);
    writing.abort();
    await Promise.all(writers);
    await session(60_000, async () => (await versionsInLog()).size > 0 && (await missing()).length === 0);

    expect(await missing()).toEqual([]);
    expect(await lies()).toEqual([]);
    expect(await doubled()).toEqual([]);
  });

  /** One session of the emitter, aborted after a while or when it is done. */
  async function session(forMs: number, done: () => Promise<boolean>): Promise<void> {
    const stop = new AbortController();
    const access = { host: server.host, port: server.port, user: 'banyan', password: 'p', banyanSchema: 'banyan' };
    const database = await EmitterDatabase.open(access, stop.signal, logger);
    if (!database) return;
    const own = {
      heartbeat: { key: ['id'], columns: ['id', 'beat'] },
      watermark: { key: ['domain'], columns: ['domain', 'chunk', 'edge'] },
    };
    const { banyanSchema, ...connection } = access;
    const source = openBinlogSource({
      connection,
      schema: 'shop',
      tables,
      alsoFollow: { schema: banyanSchema, tables: own },
      logger,
    });
    const seeder = new EtlSeeder({
      log,
      domains: [domain],
      schema: 'shop',
      banyanSchema,
      connect: () => slowly(access),
      logger,
    });
    const running = emit(
      {
        log,
        source,
        domains: [domain],
        seeder,
        beat: () => database.beat(),
        ownTables: { heartbeat: 'banyan.heartbeat', watermark: 'banyan.watermark', ownership: 'banyan.ownership' },
        heartbeatIntervalMs: 50,
        instance: 'test',
        logger,
      },
      stop.signal,
    );
    const deadline = Date.now() + forMs;
    while (Date.now() < deadline && !(await done())) await sleep(20);
    stop.abort();
    await running;
    database.close();
    await source.close();
  }

  /** Every event in log order, as what it says of which row. */
  async function* said(): AsyncIterable<{ id: string; row: Row | null; seed: boolean }> {
    for await (const batch of log.read(fromStart(['kinds'], topicsFor({ kinds: {} })), { follow: false })) {
      for (const event of batch) {
        const { key, row } = JSON.parse(event.data) as { key: unknown[]; row: Row | null };
        yield { id: `${event.key} ${JSON.stringify(key)}`, row, seed: event.seed !== undefined };
      }
    }
  }

  async function versionsInLog(): Promise<Map<string, Row>> {
    const rows = new Map<string, Row>();
    for await (const { id, row } of said()) row ? rows.set(id, row) : rows.delete(id);
    return rows;
  }

  /** Rows that log and tables do not agree about. */
  async function missing(): Promise<string[]> {
    const rows = await versionsInLog();
    const connection = await connectForSeed({ host: server.host, port: server.port, user: 'root', password: '' });
    const found: string[] = [];
    for (const [name, captured] of Object.entries(tables)) {
      const table = await describeTable(connection, 'shop', name);
      if (!table) throw new Error(name);
      const select = compileSelect(table, captured);
      const [all] = await connection.query(`SELECT ${select.list} FROM shop.${name}`);
      for (const values of all as unknown[][]) {
        const row = select.row(values);
        const id = `${name} ${JSON.stringify(select.key(row))}`;
        if (JSON.stringify(rows.get(id)) !== JSON.stringify(row))
          found.push(`${id}: ${JSON.stringify(rows.get(id))} / ${JSON.stringify(row)}`);
        rows.delete(id);
      }
    }
    connection.destroy();
    return [...found, ...[...rows.keys()].map((id) => `${id} came back`)];
  }

  async function doubled(): Promise<string[]> {
    const ids = new Set<string>();
    const found: string[] = [];
    for await (const batch of log.read(fromStart(['kinds'], topicsFor({ kinds: {} })), { follow: false })) {
      for (const { id } of batch) ids.has(id) ? found.push(id) : ids.add(id);
    }
    return found;
  }

  /** Seeds that stand where they must not: behind a change that they do not include. */
  async function lies(): Promise<string[]> {
    const newest = new Map<string, number>();
    const deleted = new Set<string>();
    const found: string[] = [];
    for await (const { id, row, seed } of said()) {
      if (!row) {
        newest.delete(id);
        deleted.add(id);
        continue;
      }
      if (seed && deleted.has(id)) found.push(`${id} was seeded after its deletion`);
      deleted.delete(id);
      const version = Number(row['version']);
      if (version < (newest.get(id) ?? 0))
        found.push(`${id}: ${version} after ${newest.get(id)}${seed ? ' by a seed' : ''}`);
      newest.set(id, version);
    }
    return found;
  }
});

/** A connection on which each statement takes a while: between the two watermarks others must get to write. */
async function slowly(access: Parameters<typeof connectForSeed>[0]): Promise<Connection> {
  const connection = await connectForSeed(access);
  const query = connection.query.bind(connection) as (...args: unknown[]) => Promise<unknown>;
  connection.query = (async (...args: unknown[]) => {
    const result = await query(...args);
    await sleep(4);
    return result;
  }) as typeof connection.query;
  return connection;
}

function data({ table, key, after }: Change) {
  return { table, key, row: after ?? null };
}

async function connect({ host, port }: Mariadb): Promise<Connection> {
  return mysql.createConnection({ host, port, user: 'root', charset: 'utf8mb4' });
}

/** Inserts, updates, deletes, changes keys and re-inserts, all over the tables, until it is stopped. */
async function write(server: Mariadb, seed: number, signal: AbortSignal): Promise<void> {
  const connection = await connect(server);
  const random = randomFrom(seed);
  const names = Object.keys(KINDS);
  while (!signal.aborted) {
    const name = names[Math.floor(random() * names.length)] as string;
    const { key, nth } = KINDS[name] as KeyKind;
    const one = nth(Math.floor(random() * ROWS * 1.2));
    const other = nth(Math.floor(random() * ROWS * 1.2));
    const is = (values: string[]) => key.map((column, i) => `${column} = ${values[i]}`).join(' AND ');
    const statements = [
      `INSERT IGNORE INTO shop.${name} VALUES (${one.join(', ')}, NEXTVAL(shop.version), 'inserted')`,
      `UPDATE shop.${name} SET version = NEXTVAL(shop.version), text = 'updated' WHERE ${is(one)}`,
      `UPDATE shop.${name} SET version = NEXTVAL(shop.version) WHERE ${is(one)} OR ${is(other)}`,
      `DELETE FROM shop.${name} WHERE ${is(one)}`,
      `UPDATE IGNORE shop.${name} SET ${key.map((column, i) => `${column} = ${other[i]}`).join(', ')}, version = NEXTVAL(shop.version) WHERE ${is(one)}`,
    ];
    await connection.beginTransaction();
    for (let n = 1 + Math.floor(random() * 3); n > 0; n--) {
      await connection.query(statements[Math.floor(random() * statements.length)] as string).catch(ignoreDeadlock);
    }
    await connection.query(random() < 0.1 ? 'ROLLBACK' : 'COMMIT');
    await sleep(random() * 4);
  }
  await connection.end();
}

function ignoreDeadlock(error: { errno?: number }): void {
  if (error.errno !== 1213 && error.errno !== 1205) throw error;
}
