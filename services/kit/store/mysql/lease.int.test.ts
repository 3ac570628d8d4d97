import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Mariadb, startMariadb } from '../../../../scripts/lib/mariadb.ts';
import { until } from '../../projector/test-support.ts';
import type { Lease, Stores } from '../types.ts';
import { type Server, Session } from './session.ts';
import { notesStores, startWriter, write } from './test-support.ts';

let mariadb: Mariadb;
let root: Session;
let stores: Stores;
const server = (): Server => ({ ...mariadb, port: mariadb.port, idleSeconds: 2 });

beforeAll(async () => {
  mariadb = await startMariadb();
  root = await Session.open(mariadb);
});
afterAll(async () => {
  root.close();
  await mariadb.stop();
});
beforeEach(async () => {
  stores = notesStores(server());
  await stores.drop('1');
});

const texts = async () =>
  (await root.query('SELECT text FROM banyan_notes_1.notes ORDER BY id')).map((row) => row['text']);
const wrote = (said: string) => [...said.matchAll(/wrote (\d+)/g)].length;

/** Whoever stands by asks again and again. */
async function takeOver(): Promise<Lease> {
  for (;;) {
    const lease = await stores.lease('1');
    if (lease) return lease;
    await sleep(50);
  }
}

async function leased(): Promise<Lease> {
  return (await stores.lease('1')) as Lease;
}

describe('the right to write a store', () => {
  it('passes on when its holder is killed, and nothing that was confirmed is lost', async () => {
    const writer = startWriter(server());
    await until(() => wrote(writer.said()) >= 3);
    expect(await stores.lease('1')).toBeUndefined();
    writer.signal('SIGKILL');
    await writer.ended;
    const lease = await takeOver();
    const store = await lease.open();
    const rows = (await texts()).length;
    expect(rows).toBeGreaterThanOrEqual(wrote(writer.said()));
    expect(await store.cursors()).toMatchObject({ notes: [{ offset: rows - 1 }] });
    expect(await write(store, 'by the next')).toBe(rows);
    await lease.release();
  });

  it('passes on when its holder is paused, which cannot write any more when it wakes', async () => {
    const writer = startWriter(server());
    await until(() => wrote(writer.said()) >= 3);
    writer.signal('SIGSTOP');
    const lease = await takeOver();
    const store = await lease.open();
    const offset = await write(store, 'by the next');
    writer.signal('SIGCONT');
    await writer.ended;
    expect(writer.said()).toMatch(/refused BNY-SERVICE-STORE-UNREACHABLE true\n$/);
    await write(store, 'by the next');
    expect((await texts()).slice(offset)).toEqual(['by the next', 'by the next']);
    await lease.release();
  });

  it('is kept by who has nothing to write for long', async () => {
    const lease = await leased();
    const store = await lease.open();
    await sleep(3500);
    expect(lease.lost.aborted).toBe(false);
    await write(store, 'at last');
    await lease.release();
    expect(await texts()).toEqual(['at last']);
  });

  it('is lost with the connection, and said to be', async () => {
    const lease = await leased();
    const store = await lease.open();
    const [row] = await root.query("SELECT IS_USED_LOCK('banyan_notes_1') AS id");
    await root.query(`KILL ${row?.['id']}`);
    await until(() => lease.lost.aborted);
    await expect(
      write(store, 'too late').catch((error) => Promise.reject(stores.faultOf(error))),
    ).rejects.toMatchObject({
      code: 'BNY-SERVICE-STORE-UNREACHABLE',
      retryable: true,
    });
    const next = await takeOver();
    expect(await texts()).toEqual([]);
    await next.release();
    await lease.release();
  });

  it('is also that of the store itself, where a server gives the lock to two', async () => {
    const first = await leased();
    const store = await first.open();
    await write(store, 'by the first');
    await root.query("UPDATE banyan_notes_1.banyan_meta SET value = 'the second' WHERE `key` = 'writer'");
    const taken = { code: 'BNY-SERVICE-STORE-TAKEN', retryable: true };
    await expect(write(store, 'too late')).rejects.toMatchObject(taken);
    await expect(store.setApplied({ position: '9', freshAt: 9 })).rejects.toMatchObject(taken);
    expect(await texts()).toEqual(['by the first']);
    expect(await stores.peek('1')).toEqual({ position: '', freshAt: 0 });
    await write(await first.open(), 'by the first');
    await expect(write(store, 'too late')).rejects.toMatchObject(taken);
    await first.release();
  });

  it('is not taken over in the middle of a commit', async () => {
    const lease = await leased();
    const store = await lease.open();
    await root.query('START TRANSACTION');
    await root.query("INSERT INTO banyan_notes_1.notes VALUES ('in its way', 0)");
    const writing = write(store, 'under way');
    const waiting =
      "SELECT 1 FROM information_schema.PROCESSLIST WHERE info LIKE '%under way%' AND id <> CONNECTION_ID()";
    await until(async () => (await root.query(waiting)).length === 1);
    const claim = "SELECT value FROM banyan_notes_1.banyan_meta WHERE `key` = 'writer' FOR UPDATE NOWAIT";
    await expect(root.query(claim)).rejects.toMatchObject({ errno: 1205 });
    await root.query('ROLLBACK');
    await writing;
    await lease.release();
  });
});
