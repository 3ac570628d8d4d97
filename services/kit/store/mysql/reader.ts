import knexPackage from 'knex';
import type { Connection } from 'mysql2';
import { readIn } from '../reader.ts';
import type { StoreReader } from '../types.ts';
import { within } from './deadline.ts';
import { asStoreFault } from './fault.ts';
import { connectionOptions, type Server, sessionSettings } from './session.ts';

/** A request takes no longer than this, nor waits longer for a connection. */
const READ_MS = 10_000;

export function openReader(server: Server, database: string, readMs = READ_MS): StoreReader {
  const db = knexPackage({
    client: 'mysql2',
    connection: { ...connectionOptions(server), database } as object,
    pool: {
      min: 0,
      max: 10,
      afterCreate(connection: Connection, done: (error?: unknown) => void) {
        begin(connection, server).then(() => done(), done);
      },
    },
    // It would write past the service's logger, and what it says is thrown too.
    log: { warn: () => undefined },
    acquireConnectionTimeout: readMs,
  });
  const readOn = async <T>(connection: Connection, work: Work<T>): Promise<T> => {
    const reading = db.transaction({ connection }).then((snapshot) => readIn(snapshot, work));
    return within(readMs, reading, () => connection.destroy());
  };
  return {
    async read(work) {
      try {
        const connection: Connection = await db.client.acquireConnection();
        return await readOn(connection, work).finally(() => void db.client.releaseConnection(connection));
      } catch (error) {
        throw asStoreFault(error);
      }
    },
    close: () => db.destroy(),
  };
}

type Work<T> = Parameters<typeof readIn<T>>[1];

/** The pool keeps its connections for as long as they last. */
async function begin(connection: Connection, server: Server): Promise<void> {
  for (const sql of sessionSettings({ ...server, idleSeconds: 3600 }, 'READ ONLY'))
    await connection.promise().query(sql);
}
