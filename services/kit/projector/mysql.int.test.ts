import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { controlEvent } from '../../../log/index.ts';
import { type Mariadb, startMariadb } from '../../../scripts/lib/mariadb.ts';
import { createServiceApp } from '../http/app.ts';
import { Session } from '../store/mysql/session.ts';
import { notesStores } from '../store/mysql/test-support.ts';
import type { Lease, Stores } from '../store/types.ts';
import { Projector } from './projector.ts';
import { rebuild } from './replay.ts';
import { Bed, event, NOTES, note, notes, tag, until } from './test-support.ts';
import { runProjectorThread, type ThreadTask } from './thread.ts';

let mariadb: Mariadb;
let root: Session;
let stores: Stores;
let tests = 0;
beforeAll(async () => {
  mariadb = await startMariadb();
});
afterAll(() => mariadb.stop());
beforeEach(async () => {
  root = await Session.open(mariadb);
  stores = notesStores({ ...mariadb, port: mariadb.port, idleSeconds: 2 }, `t${++tests}_`);
});

const database = (store: string) => `t${tests}_notes_${store}`;

async function idsIn(store: string): Promise<unknown[]> {
  const rows = await root.query(`SELECT id FROM ${database(store)}.notes ORDER BY id`).catch(() => []);
  return rows.map((row) => row['id']);
}

function thread(bed: Bed, task: ThreadTask) {
  const stop = new AbortController();
  const told = { ready: 0, errors: [] as string[] };
  const running = runProjectorThread(
    {
      log: bed.log,
      domain: NOTES,
      task,
      stores,
      instance: 'test',
      url: 'http://127.0.0.1:4101',
      isLive: () => true,
      logger: pino({ level: 'silent' }),
      onReady: () => told.ready++,
      onStopped: (error) => told.errors.push(String(error)),
    },
    AbortSignal.any([bed.signal, stop.signal]),
  );
  return { told, stop, running: bed.keep(running) };
}

async function catchUp(bed: Bed, store: string): Promise<string> {
  const lease = (await stores.lease(store)) as Lease;
  const opened = await lease.open();
  const until = await bed.log.ends(['notes', 'tags']);
  await new Projector({ log: bed.log, projection: NOTES.projection, store: opened, until }).run(bed.signal);
  const hash = await opened.hash();
  await lease.release();
  return hash;
}

const HISTORY = [...notes(1, 400), event('notes', 'NoteErased', { id: 2 }), tag(1), tag(3, 'Blue'), tag(3, 'blue')];

describe('a projector into a store on a server', () => {
  it('leaves the same hash as one into a file, from the same log', async () => {
    await using bed = await Bed.make();
    await bed.append('1', [...HISTORY, note(7, ' é🌳 '), note(9, '')]);
    const file = bed.open('1');
    await bed.catchUp(file);
    expect(await catchUp(bed, '1')).toBe(await file.hash());
  });

  it('lets one write at a time; the other reads, and takes over when the first has lost its connection', async () => {
    await using bed = await Bed.make();
    await bed.append('1', [note(1)]);
    const first = thread(bed, { store: '1' });
    await until(async () => (await idsIn('1')).length === 1);
    const second = thread(bed, { store: '1' });
    await until(() => second.told.ready > 1);
    first.stop.abort();
    await first.running;
    await bed.append('2', [note(2)]);
    await until(async () => (await idsIn('1')).length === 2);
    expect([...first.told.errors, ...second.told.errors]).toEqual([]);
    const [row] = await root.query('SELECT IS_USED_LOCK(?) AS id', [database('1')]);
    await root.query(`KILL ${row?.['id']}`);
    await bed.append('3', [note(3)]);
    await until(async () => (await idsIn('1')).length === 3);
  });

  it('says that its server does not answer, and goes on when that does; reads go to the monolith meanwhile', async () => {
    await using bed = await Bed.make();
    await bed.append('1', [note(1)]);
    const { told } = thread(bed, { store: '1' });
    await until(async () => (await idsIn('1')).length === 1);
    const reader = stores.reader('1');
    const options = { secret: '', maxLagMs: 600_000, stopped: () => undefined, logger: pino({ level: 'silent' }) };
    const server = createServer(createServiceApp({ domain: NOTES, live: () => reader, ...options }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}/notes`;
    await until(async () => (await fetch(url)).status === 200);
    await mariadb.kill();
    await until(() => told.errors.some((error) => error.includes('BNY-SERVICE-STORE-UNREACHABLE')));
    const down = await fetch(url);
    expect([down.status, down.headers.get('banyan-behind')]).toEqual([503, expect.stringContaining('UNREACHABLE')]);
    await bed.append('2', [note(2)]);
    await mariadb.restart();
    root = await Session.open(mariadb);
    await until(async () => (await idsIn('1')).length === 2);
    expect(await (await fetch(url)).json()).toEqual([1, 2]);
    await reader.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('a rebuild on a server', () => {
  async function rebuilt(bed: Bed) {
    const lease = (await stores.lease('2')) as Lease;
    const options = { log: bed.log, domain: NOTES, stores, name: '2', lease, live: '1', actor: 'test' };
    try {
      return await rebuild(options, bed.signal);
    } finally {
      await lease.release();
    }
  }

  it('compares with the live store as of one moment, whatever is applied to that meanwhile', async () => {
    await using bed = await Bed.make();
    await bed.append('1', HISTORY);
    const hash = await catchUp(bed, '1');
    await bed.append('2', [note(401)]);
    const frozen = await stores.freeze('1', '2');
    await catchUp(bed, '1');
    expect(await frozen.hash()).toBe(hash);
    await frozen.close();
    await bed.append('3', [note(402)]);
    expect(await rebuilt(bed)).toEqual({ hash: await catchUp(bed, '1').then(() => expect.any(String)) });
    expect(await idsIn('2')).toHaveLength(400);
  });

  it('names what differs, and leaves nothing of the new store', async () => {
    await using bed = await Bed.make();
    await bed.append('1', HISTORY);
    await catchUp(bed, '1');
    await root.query(`UPDATE ${database('1')}.notes SET text = 'edited' WHERE id = 3`);
    await root.query(`DELETE FROM ${database('1')}.tags WHERE name = 'Blue'`);
    expect(await rebuilt(bed)).toEqual({
      differences: [
        { table: 'notes', key: [3], kind: 'different', columns: ['text'] },
        { table: 'tags', key: [3, 'Blue'], kind: 'extra', columns: [] },
      ],
    });
    expect(await root.query('SHOW DATABASES LIKE ?', [database('2')])).toEqual([]);
  });

  it('is flipped to when both are equal, and kept up then', async () => {
    await using bed = await Bed.make();
    await bed.append('1', HISTORY);
    await catchUp(bed, '1');
    await bed.log.post([controlEvent('ReplayRequested', { domain: 'notes', store: '2' }, 'test')]);
    thread(bed, { replay: '2', live: '1', undoMs: 60_000 });
    await until(async () => (await bed.control()).of('notes').store.live === '2');
    await bed.append('2', [note(401)]);
    await until(async () => (await idsIn('2')).length === 400);
  });
});
