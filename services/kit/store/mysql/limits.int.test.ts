import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Mariadb, startMariadb } from '../../../../scripts/lib/mariadb.ts';
import { NOTES } from '../../projector/test-support.ts';
import type { Table } from '../../table.ts';
import { Fold } from '../fold.ts';
import type { Lease, Stores } from '../types.ts';
import { grantsFor } from './grants.ts';
import { openReader } from './reader.ts';
import { Session } from './session.ts';
import { notesStores, write } from './test-support.ts';

let mariadb: Mariadb;
let root: Session;
let stores: Stores;
beforeAll(async () => {
  mariadb = await startMariadb();
  root = await Session.open(mariadb);
});
afterAll(async () => {
  root.close();
  await mariadb.stop();
});
beforeEach(async () => {
  stores = notesStores(mariadb);
  await stores.drop('1');
});

const leased = async (of = stores) => (await of.lease('1')) as Lease;
/** The store is there, and nobody writes it. */
async function made(): Promise<void> {
  const lease = await leased();
  await lease.open();
  await lease.release();
}

const tags = NOTES.projection.tables.get('tags') as Table;

async function tagged(name: string): Promise<void> {
  const lease = await leased();
  try {
    const store = await lease.open();
    const fold = new Fold();
    fold.put(tags, { note: 1, name, weight: 1 });
    await store.commit(fold, await store.cursors(), await store.cursors());
  } finally {
    await lease.release();
  }
}

describe('a store on a server', () => {
  /** 3,072 bytes for the key, 8 of them for the number, 4 for each character. */
  const MOST = 766;

  it.each(['x', '🎈', ' '])(
    'takes a key of %j as long as an index can hold, and refuses a longer one whole',
    async (last) => {
      const longest = 'x'.repeat(MOST - 1) + last;
      await tagged(longest);
      await expect(tagged(longest + last)).rejects.toMatchObject({
        code: 'BNY-SERVICE-STORE-VALUE',
        message: expect.stringMatching(/tags: a key of 767 characters.*766 at most/),
      });
      const [row, ...more] = await root.query('SELECT name FROM banyan_notes_1.tags');
      expect([row?.['name'], more]).toEqual([longest, []]);
    },
  );

  it('refuses a row that no statement can carry, without losing its connection', async () => {
    await root.query('SET GLOBAL max_allowed_packet = 1048576');
    const lease = await leased();
    const store = await lease.open();
    await expect(write(store, 'x'.repeat(1_100_000))).rejects.toMatchObject({ code: 'BNY-SERVICE-STORE-VALUE' });
    await write(store, 'x'.repeat(1_000_000));
    expect(lease.lost.aborted).toBe(false);
    await lease.release();
    await root.query('SET GLOBAL max_allowed_packet = 16777216');
  });

  it('is not opened beside a unique index, by which an upsert would find the wrong row', async () => {
    const lease = await leased();
    await write(await lease.open(), 'same');
    await root.query('CREATE UNIQUE INDEX only ON banyan_notes_1.notes (text(50))');
    await expect(lease.open()).rejects.toMatchObject({
      code: 'BNY-SERVICE-STORE-SCHEMA',
      found: expect.stringContaining('notes.only'),
    });
    await lease.release();
  });

  it('works with the account that it is said to need, which can touch nothing else', async () => {
    const account = { user: 'stores', password: `a'b\\c`, prefix: 'banyan_' };
    for (const sql of grantsFor(account)) await root.query(sql);
    for (const name of ['monolith', 'banyanx', 'banyan']) {
      await root.query(`CREATE DATABASE ${name}`);
      await root.query(`CREATE TABLE ${name}.t (id INT)`);
    }
    const limited = notesStores({ ...mariadb, port: mariadb.port, ...account });
    const lease = await leased(limited);
    await write(await lease.open(), 'x');
    const reader = limited.reader('1');
    expect(await reader.read((db) => db('notes').pluck('text'))).toEqual(['x']);
    await reader.close();
    await lease.clear();
    await lease.release();
    await limited.drop('1');
    const session = await Session.open({ ...mariadb, port: mariadb.port, ...account });
    for (const sql of [
      'SELECT * FROM monolith.t',
      'INSERT INTO banyanx.t VALUES (1)',
      'DROP TABLE banyan.t',
      'SELECT * FROM mysql.user',
      'CREATE DATABASE other',
    ]) {
      await expect(session.query(sql)).rejects.toMatchObject({ code: expect.stringMatching(/ER_.*ACCESS_DENIED/) });
    }
    session.close();
  });

  it('names an account that the server refuses', async () => {
    const wrong = notesStores({ ...mariadb, port: mariadb.port, password: 'wrong' });
    const error = await wrong.lease('1').catch((cause: unknown) => wrong.faultOf(cause));
    expect(error).toMatchObject({ code: 'BNY-SERVICE-STORE-ACCESS', retryable: false });
  });
});

describe('a server that hangs', () => {
  it('is waited for no longer than the deadline, and the session is given up', async () => {
    const session = await Session.open(mariadb);
    await expect(session.query('DO SLEEP(30)', [], 50)).rejects.toMatchObject({
      code: 'BNY-SERVICE-STORE-UNREACHABLE',
    });
    expect(session.lost.aborted).toBe(true);
    await expect(session.query('DO 0')).rejects.toThrow('closed state');
  });

  it('holds up a reader no longer than the deadline, and not the next one', async () => {
    await made();
    const reader = openReader(mariadb, 'banyan_notes_1', 300);
    const hanging = reader.read((db) => db.raw('DO SLEEP(30)'));
    await expect(hanging).rejects.toMatchObject({ code: 'BNY-SERVICE-STORE-UNREACHABLE' });
    expect(await reader.read((db) => db('notes').pluck('id'))).toEqual([]);
    await reader.close();
  });

  it('takes no reader with it when its connection is cut', async () => {
    await made();
    const reader = openReader(mariadb, 'banyan_notes_1');
    const cut = reader.read(async (db) => {
      const [[{ id }]] = await db.raw('SELECT CONNECTION_ID() AS id');
      await root.query(`KILL ${id}`);
      return db('notes').pluck('id');
    });
    await expect(cut).rejects.toMatchObject({ code: 'BNY-SERVICE-STORE-UNREACHABLE', retryable: true });
    expect(await reader.read((db) => db('notes').pluck('id'))).toEqual([]);
    await reader.close();
  });
});
