import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';

/** Thread of the latency benchmark: looks into a store every millisecond and notes when a number arrives. */
export interface PollerData {
  store: string;
  /** The member whose bio counts up. */
  id: number;
  /** When each number, or one above it, was first seen. */
  seen: Float64Array;
  state: Int32Array;
}

export const DONE = 1;
const EVERY_MS = 1;

if (parentPort) watch(workerData as PollerData);

function watch({ store, id, seen, state }: PollerData): void {
  const db = new Database(store, { readonly: true });
  const select = db.prepare('SELECT bio FROM members WHERE id = ?').pluck();
  // What stands there now may be a number of the last measurement.
  const before = select.get(id);
  let next = 0;
  parentPort?.postMessage('ready');
  for (let last = before; Atomics.load(state, 0) !== DONE; Atomics.wait(state, 0, 0, EVERY_MS)) {
    const bio = select.get(id);
    if (bio === last) continue;
    last = bio;
    const at = Number(process.hrtime.bigint()) / 1e6;
    for (; next <= Number(bio); next++) seen[next] = at;
  }
  db.close();
}
