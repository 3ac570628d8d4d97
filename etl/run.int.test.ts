import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Connection } from 'mysql2/promise';
import pino from 'pino';
import { query } from '../cdc/connection.ts';
import type { SeedChunk } from '../cdc/emitter/seeder.ts';
import type { SeedProgress } from '../cdc/index.ts';
import { installSql } from '../cdc/schema/install.ts';
import { type Mariadb, startMariadb } from '../scripts/lib/mariadb.ts';
import { connectForSeed } from './connect.ts';
import { Run } from './run.ts';

const TABLE = { key: ['id'], columns: ['id', 'text'] };
const PROGRESS: SeedProgress = { run: 'r', chunkRows: 10, maxLoad: null, paused: false, tables: {} };

describe('the reading of a table in chunks', () => {
  let server: Mariadb;
  let run: Run | undefined;

  beforeAll(async () => {
    server = await startMariadb();
    const root = await rootConnection();
    await root.query('CREATE DATABASE shop CHARACTER SET utf8mb4');
    for (const sql of installSql({ banyanSchema: 'banyan', schema: 'shop', user: 'banyan', password: 'p' }))
      await root.query(sql);
    for (const [name, rows, bytes] of [
      ['small', 35, 10],
      ['large', 200, 100_000],
    ] as const) {
      await root.query(`CREATE TABLE shop.${name} (id INT PRIMARY KEY, text LONGTEXT)`);
      await root.query(`INSERT INTO shop.${name} SELECT seq, REPEAT('x', ${bytes}) FROM shop.seq_1_to_${rows}`);
    }
    root.destroy();
  });
  afterAll(() => server.stop());
  afterEach(() => run?.stop());

  const rootConnection = () =>
    connectForSeed({ host: server.host, port: server.port, user: server.user, password: server.password });

  /** Reads a whole table, its watermarks coming round at once; `onRead` is called while a chunk is being read. */
  async function chunksOf(
    table: string,
    onRead: (run: Run, nth: number) => void = () => undefined,
    throttleQuery?: string,
  ) {
    const chunks: SeedChunk[] = [];
    let reads = 0;
    const done = Promise.withResolvers<void>();
    const statuses: unknown[] = [];
    const connect = async (): Promise<Connection> => {
      const connection = await rootConnection();
      statuses.push(started.status);
      const query = connection.query.bind(connection) as (...args: unknown[]) => Promise<unknown>;
      connection.query = (async (sql: string, values: unknown[]) => {
        if (sql.includes?.(`\`${table}\` FORCE INDEX`)) onRead(started, ++reads);
        const result = await query(sql, values);
        if (!sql.includes?.('.watermark')) return result;
        const chunk = started.watermark(String(values[1]), String(values[2]));
        if (chunk) chunks.push(chunk);
        if (chunk?.lastTable) done.resolve();
        return result;
      }) as typeof connection.query;
      return connection;
    };
    const started = new Run({
      domain: 'd',
      tables: { [table]: TABLE },
      progress: PROGRESS,
      schema: 'shop',
      banyanSchema: 'banyan',
      throttleQuery,
      connect,
      logger: pino({ level: 'silent' }),
    });
    run = started;
    await done.promise;
    return { reads, chunks, statuses, ids: chunks.flatMap(({ rows }) => rows.map(({ key }) => key[0])) };
  }

  const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

  it('hands out every row once, and ends with the last', async () => {
    const { ids, chunks } = await chunksOf('small');
    expect(ids).toEqual(upTo(35));
    expect(chunks.map(({ rows, tableDone }) => [rows.length, tableDone])).toEqual([
      [10, false],
      [10, false],
      [10, false],
      [5, true],
    ]);
  });

  it('does not take a full chunk for the last one when the limit is raised while it is read', async () => {
    const { ids } = await chunksOf('small', (reading) => reading.tune({ ...PROGRESS, chunkRows: 1000 }));
    expect(ids).toEqual(upTo(35));
  });

  it('cuts chunks of large rows short', async () => {
    const { ids, chunks } = await chunksOf('large', (reading) => reading.tune({ ...PROGRESS, chunkRows: 1000 }));
    expect(ids).toEqual(upTo(200));
    // 8 MB hold 80 rows of 100 kB.
    expect(Math.max(...chunks.map(({ rows }) => rows.length))).toBeLessThanOrEqual(80);
  });

  it('reads a chunk again when more keys changed meanwhile than it may remember', async () => {
    const { ids, reads } = await chunksOf('small', (reading, nth) => {
      if (nth !== 2) return;
      for (let id = 1000; id <= 101_000; id++) {
        reading.change({ table: 'small', kind: 'insert', key: [id], after: { id, text: '' } }, true);
      }
    });
    expect(ids).toEqual(upTo(35));
    expect(reads).toBeGreaterThan(4);
  });

  it.each([
    ['reads a chunk again when its table is altered', 'small', 5],
    ['reads on when a table is altered that is not its own', 'large', 4],
  ])('%s', async (_, table, reads) => {
    const result = await chunksOf('small', (reading, nth) => {
      if (nth === 2) reading.definitionChanged(table);
    });
    expect(result).toMatchObject({ ids: upTo(35), reads });
  });

  it.each([
    ['INSERT INTO shop.brake VALUES (7)', 'etl.throttleQuery gives 7'],
    ["INSERT INTO shop.brake VALUES ('much')", 'etl.throttleQuery gives no number'],
    ['SELECT 1', 'etl.throttleQuery gives no number'],
    ['DROP TABLE shop.brake', /etl.throttleQuery fails: .*brake/],
  ])("waits while the user's own query says so, and why: %s", async (sql, reason) => {
    const root = await rootConnection();
    await root.query('CREATE OR REPLACE TABLE shop.brake (n VARCHAR(10))');
    await root.query(sql);
    const reading = chunksOf('small', undefined, 'SELECT n FROM shop.brake');
    const waiting = { state: 'throttled', rows: 0, reason: expect.stringMatching(reason) };
    while (run?.status.state !== 'throttled') await sleep(5);
    expect(run?.status).toMatchObject(waiting);
    await root.query("CREATE OR REPLACE TABLE shop.brake (n VARCHAR(10)) SELECT '0' AS n");
    expect((await reading).ids).toEqual(upTo(35));
    root.destroy();
  });

  it.each([
    ['the throttle query', 'SELECT n FROM shop.gate', PROGRESS],
    ['the run', 'SELECT n FROM shop.gate', { ...PROGRESS, paused: true }],
  ])('connects anew when its connection is lost while %s holds it up', async (_, throttleQuery, progress) => {
    const root = await rootConnection();
    await root.query(`CREATE OR REPLACE TABLE shop.gate SELECT ${progress.paused ? 0 : 1} AS n`);
    const reading = chunksOf('small', undefined, throttleQuery);
    run?.tune(progress);
    while (!run?.status.reason) await sleep(5);
    await killOthers(root);
    run.tune(PROGRESS);
    await root.query('UPDATE shop.gate SET n = 0');
    expect((await reading).ids).toEqual(upTo(35));
    root.destroy();
  });

  /** Ends every other connection, and returns when they are gone. */
  async function killOthers(root: Connection): Promise<void> {
    const others = 'SELECT id FROM information_schema.PROCESSLIST WHERE id <> CONNECTION_ID() AND user = "root"';
    const ids = (await query(root, others)) as unknown as number[][];
    for (const [id] of ids) await root.query(`KILL ${id}`);
    while ((await query(root, others)).length > 0) await sleep(5);
  }

  it('says why it is interrupted, and goes on behind the last chunk handed out', async () => {
    const { ids, statuses } = await chunksOf('small', (_, nth) => {
      if (nth === 2) throw new Error('gone away');
    });
    expect(statuses).toMatchObject([{ state: 'reading' }, { state: 'failed', reason: 'gone away', rows: 10 }]);
    expect(ids).toEqual(upTo(35));
  });
});
