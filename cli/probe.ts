import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { query } from '../cdc/connection.ts';
import type { Source } from '../cdc/index.ts';

/**
 * Writes the heartbeat row and waits for it in the stream: the whole path of a change, on the real server. False when it
 * has not come before `signal` aborts. @throws what the stream or the server says
 */
export async function comesThrough(
  source: Source,
  connect: () => Promise<Connection>,
  schema: string,
  signal: AbortSignal,
): Promise<boolean> {
  const reading = arrives(source, `${schema}.heartbeat`, signal);
  // Awaited below: until then its failure must not end the process.
  reading.catch(() => undefined);
  const connection = await connect();
  try {
    await writeUntilEnd(connection, schema, reading);
  } finally {
    connection.destroy();
  }
  return await reading;
}

/** Whether a heartbeat of now, or of later, arrives. */
async function arrives(source: Source, heartbeat: string, signal: AbortSignal): Promise<boolean> {
  const since = Date.now();
  for await (const batch of source.read(undefined, signal)) {
    const rows = batch.flatMap(({ changes }) => changes);
    if (rows.some(({ table, after }) => table === heartbeat && Number(after?.['beat']) >= since)) return true;
  }
  return false;
}

/** The reader begins at the head of the stream at some moment from now on: write until that has passed. */
async function writeUntilEnd(connection: Connection, schema: string, reading: Promise<unknown>): Promise<void> {
  let ended = false;
  const end = () => {
    ended = true;
  };
  void reading.then(end, end);
  while (!ended) {
    // The clock at each write: an emitter tells by this row how fresh the stores are.
    await query(connection, `UPDATE \`${schema}\`.heartbeat SET beat = ? WHERE id = 1`, [Date.now()]);
    await sleep(200);
  }
}
