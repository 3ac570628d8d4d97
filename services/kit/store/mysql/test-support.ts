import { spawnBound } from '../../../../scripts/lib/spawn.ts';
import { NOTES } from '../../projector/test-support.ts';
import type { Table } from '../../table.ts';
import { Fold } from '../fold.ts';
import type { Store, Stores } from '../types.ts';
import type { Server } from './session.ts';
import { openMysqlStores } from './stores.ts';

// Only tests may import this file.

export function notesStores(server: Server, prefix = 'banyan_', domain = 'notes'): Stores {
  const { host, port, user, password, idleSeconds = 15 } = server;
  const origin = { projection: NOTES.projection, logIdentity: 'test', partitions: {} };
  return openMysqlStores({ server: { host, port, user, password, idleSeconds }, prefix, domain, ...origin });
}

/** Puts a note, and moves the cursor by one. */
export async function write(store: Store, text: string): Promise<number> {
  const fold = new Fold();
  const before = await store.cursors();
  const offset = (before['notes']?.[0]?.offset ?? -1) + 1;
  fold.put(NOTES.projection.tables.get('notes') as Table, { id: offset, text });
  await store.commit(fold, before, { ...before, notes: [{ offset, id: `e${offset}` }] });
  return offset;
}

const WRITER = `
  const { notesStores, write } = await import(${JSON.stringify(import.meta.url)});
  const stores = notesStores(JSON.parse(process.argv[1]));
  const lease = await stores.lease('1');
  const store = await lease.open();
  try {
    for (;;) console.log('wrote', await write(store, 'by the other process'));
  } catch (error) {
    console.log('refused', stores.faultOf(error).code, lease.lost.aborted);
    process.exit();
  }`;

/** A process of its own that writes one note after the other for as long as it can, and says so. */
export function startWriter(server: Server) {
  const { host, port, user, password, idleSeconds } = server;
  const settings = JSON.stringify({ host, port, user, password, idleSeconds });
  const child = spawnBound([process.execPath, '--input-type=module', '-e', WRITER, settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout?.on('data', (data: Buffer) => (said += data.toString()));
  return {
    said: () => said,
    signal: (signal: NodeJS.Signals) => child.kill(signal),
    ended: new Promise((resolve) => child.once('close', resolve)),
  };
}
