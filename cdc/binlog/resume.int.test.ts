import { cp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort } from '../../scripts/lib/mariadb.ts';
import { fromNow, hasContent, keysOf, readTo, type Session } from '../contract.ts';
import type { CapturedTables, ResumePoint, Source, Transaction } from '../types.ts';
import { openBinlogSource } from './index.ts';
import { startTestServer, type TestServer } from './test-support.ts';

const TABLES: CapturedTables = { orders: { key: ['id'], columns: ['id'] } };
const TABLE = 'CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY)';

let server: TestServer;
let session: Session;
let source: Source;
let begin: Transaction;

beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(async () => {
  session = await server.session();
  await session.sql(TABLE);
  source = server.open({ tables: TABLES });
  begin = await fromNow(source);
});
afterEach(async () => {
  await source.close();
  await session.end().catch(() => {});
});
afterAll(() => server.dispose());

const insert = (...ids: number[]) => session.sql(...ids.map((id) => `INSERT INTO orders VALUES (${id})`));
const history = async (from = begin) => readTo(source, from, await source.head());

/** What reading from here ends with. */
async function failure(from: ResumePoint | undefined, on = source): Promise<unknown> {
  try {
    for await (const _ of on.read(from, new AbortController().signal)) {
      // read on
    }
    return 'ended';
  } catch (error) {
    return error;
  }
}

describe('a lost connection is retryable, and nothing is lost with it', () => {
  it.each(['kill', 'shutdown'])('the server ends by %s while it is read, and comes back', async (how) => {
    const read: Transaction[] = [];
    const reading = (async () => {
      for await (const batch of source.read(begin.resume, new AbortController().signal)) read.push(...batch);
    })();
    const ended = reading.catch((error: unknown) => error);
    await insert(1, 2, 3);
    if (how === 'kill') await server.kill();
    else await session.sql('SHUTDOWN');
    expect(await ended).toMatchObject({ code: 'BNY-CDC-UNREACHABLE', retryable: true });
    expect(await failure(undefined)).toMatchObject({ code: 'BNY-CDC-UNREACHABLE', retryable: true });
    await expect(source.head()).rejects.toMatchObject({ code: 'BNY-CDC-UNREACHABLE', retryable: true });
    await server.kill();
    await server.restart();
    session = await server.session();
    await insert(4);
    expect(keysOf([...read.filter(hasContent), ...(await history(read.at(-1)))])).toEqual([[1], [2], [3], [4]]);
  });

  it('a connection that only seems to live counts as lost; one that is idle does not', async () => {
    // Connections of readers that ask nothing must outlive it.
    await session.sql('SET GLOBAL wait_timeout = 1');
    const wire = await openWire(server.connection.port);
    const connection = { ...server.connection, port: wire.port };
    const quick = { heartbeatMs: 50, silenceMs: 400 };
    const through = openBinlogSource({ connection, schema: 'shop', tables: TABLES, ...quick });
    const read: Transaction[] = [];
    let quiet: () => void = () => {};
    const idle = new Promise<void>((resolve) => {
      quiet = resolve;
    });
    const ended = (async () => {
      for await (const batch of through.read(begin.resume, new AbortController().signal)) {
        read.push(...batch.filter(hasContent));
        // Long enough for a reader that hears no heartbeats to give up.
        if (read.length === 1) setTimeout(quiet, 5 * quick.silenceMs);
        if (read.length === 2) wire.freeze();
      }
    })().catch((error: unknown) => error);
    await insert(1);
    await idle;
    await insert(2);
    expect(await ended).toMatchObject({ code: 'BNY-CDC-UNREACHABLE', retryable: true });
    expect(keysOf(read)).toEqual([[1], [2]]);
    await through.close();
    wire.close();
    await session.sql('SET GLOBAL wait_timeout = 28800');
  });

  it('an account that is not let in, and one that may not read the binlog', async () => {
    await session.sql("CREATE OR REPLACE USER weak IDENTIFIED BY 'hush'", 'GRANT BINLOG MONITOR ON *.* TO weak');
    const as = (password: string) =>
      openBinlogSource({
        connection: { ...server.connection, user: 'weak', password },
        schema: 'shop',
        tables: TABLES,
      });
    const refused = (await failure(undefined, as('wrong-password'))) as Error;
    expect(refused).toMatchObject({ code: 'BNY-CDC-ACCESS', retryable: false });
    expect(refused.message).not.toContain('wrong-password');
    expect(await failure(undefined, as('hush'))).toMatchObject({ code: 'BNY-CDC-ACCESS', retryable: false });
  });
});

describe('a history that is not the one that was read stops the reading', () => {
  it('the binlog that is needed is purged; what was read of it is not needed', async () => {
    await insert(1, 2);
    const [first, second] = await history();
    await session.sql('FLUSH BINARY LOGS');
    await insert(3);
    const third = (await history()).at(-1);
    await insert(4);
    await purge();
    expect(await failure(first?.resume)).toMatchObject({ code: 'BNY-CDC-PURGED', retryable: false });
    expect(await failure(second?.resume)).toMatchObject({ code: 'BNY-CDC-PURGED' });
    expect(keysOf(await history(third))).toEqual([[4]]);
  });

  /** All files but the newest, as soon as the server lets go of the one before. */
  async function purge(): Promise<void> {
    const head = await source.head();
    const file = String(Number(head.split(':')[0])).padStart(6, '0');
    await session.sql(`PURGE BINARY LOGS TO 'binlog.${file}'`);
  }

  it('transactions at the end are lost, and others take their GTIDs', async () => {
    await insert(1);
    await restoreAfter(async () => {
      await insert(2, 3);
    });
    const [, , third] = lost;
    expect(await failure(third?.resume)).toMatchObject({
      code: 'BNY-CDC-DIVERGED',
      found: `no transaction ${third?.gtid}`,
    });
    await insert(20, 30, 40);
    expect(await failure(third?.resume)).toMatchObject({
      code: 'BNY-CDC-DIVERGED',
      found: expect.stringContaining('another'),
    });
    // What both histories share is good to go on from.
    expect(keysOf(await history(lost[0]))).toEqual([[20], [30], [40]]);
  });

  let lost: Transaction[] = [];

  /** Loses what `act` does, as a restored backup does; `lost` is the history with it. */
  async function restoreAfter(act: () => Promise<void>): Promise<void> {
    const [data, backup] = [join(server.folder, 'data'), join(server.folder, 'backup')];
    await server.kill();
    await cp(data, backup, { recursive: true });
    await server.restart();
    session = await server.session();
    await act();
    lost = await history();
    await server.kill();
    await rm(data, { recursive: true });
    await cp(backup, data, { recursive: true });
    await rm(backup, { recursive: true });
    await server.restart();
    session = await server.session();
  }

  it('the binlog was reset', async () => {
    await insert(1);
    const [first] = await history();
    await session.sql('RESET MASTER');
    expect(await failure(first?.resume)).toMatchObject({ code: 'BNY-CDC-DIVERGED' });
    await insert(2);
    expect(await failure(begin.resume)).toMatchObject({ code: 'BNY-CDC-DIVERGED' });
  });

  it('the binlog was begun anew, with the GTIDs of the old one', async () => {
    await session.sql('FLUSH BINARY LOGS');
    const { resume, gtid } = await fromNow(source);
    await session.sql('RESET MASTER', `SET GLOBAL gtid_binlog_state = '${gtid}'`);
    await insert(1);
    expect(await failure(resume)).toMatchObject({ code: 'BNY-CDC-DIVERGED', found: expect.stringContaining('behind') });
  });

  it('another server, with the same id and with another one', async () => {
    await insert(1);
    const [first] = await history();
    for (const id of [1, 2]) {
      const other = await startTestServer({ extra: [`--server-id=${id}`] });
      const there = await other.session();
      await there.sql(TABLE, ...Array.from({ length: 50 }, (_, i) => `INSERT INTO orders VALUES (${i})`));
      const otherSource = other.open({ tables: TABLES });
      expect(await failure(first?.resume, otherSource)).toMatchObject({
        code: 'BNY-CDC-OTHER-SERVER',
        retryable: false,
      });
      await there.end();
      await other.dispose();
    }
  });

  it('but the same data behind another port or network card is the same server', async () => {
    await insert(1);
    const [first] = await history();
    await server.kill();
    const moved = await startTestServer({ folder: server.folder });
    const there = await moved.session();
    await there.sql('INSERT INTO orders VALUES (2)');
    const movedSource = moved.open({ tables: TABLES });
    const [second] = await readTo(movedSource, first as Transaction, await movedSource.head());
    expect(second?.changes[0]?.key).toEqual([2]);
    expect(second?.resume['serverUid']).not.toBe(first?.resume['serverUid']);
    await there.end();
    await moved.kill();
    await moved.dispose();
    await server.restart();
  });

  it('a resume point of another version', async () => {
    const other = { ...begin.resume, version: 2 };
    expect(await failure(other)).toMatchObject({ code: 'BNY-CDC-CHECKPOINT' });
  });
});

/** A wire to the server that can go dead without an end. */
async function openWire(port: number) {
  const sockets: Socket[] = [];
  const wire = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => {});
    far.on('close', () => near.destroy());
    sockets.push(near, far);
  });
  const own = await freePort();
  await new Promise<void>((resolve) => wire.listen(own, '127.0.0.1', resolve));
  return {
    port: own,
    freeze() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      wire.close();
    },
  };
}
