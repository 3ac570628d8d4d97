import { serviceFault } from '../../errors.ts';
import type { Frozen, Lease, StoreOrigin, Stores } from '../types.ts';
import { asStoreFault } from './fault.ts';
import { openReader } from './reader.ts';
import { quote } from './schema.ts';
import { type Server, Session } from './session.ts';
import { type Place, Snapshot } from './snapshot.ts';
import { MysqlStore } from './store.ts';

export interface MysqlStoresOptions extends StoreOrigin {
  server: Server;
  /** Stands before the names of the databases. */
  prefix: string;
  domain: string;
}

const DROP_MS = 600_000;

/** The stores of a domain, each in a database of its own on a MariaDB or MySQL server. */
export function openMysqlStores({ server, prefix, domain, ...origin }: MysqlStoresOptions): Stores {
  const databaseOf = (name: string) => `${prefix}${domain}_${name}`;
  const place: Place = { server, origin, databaseOf };
  return {
    lease: (name) => leaseOf(place, name),
    async peek(name) {
      const snapshot = await Snapshot.open(place, name);
      try {
        return await snapshot?.applied();
      } finally {
        await snapshot?.close();
      }
    },
    reader: (name) => openReader(server, databaseOf(name)),
    freeze: (name) => frozen(place, name),
    async drop(name) {
      const session = await Session.open(server);
      await dropDatabase(session, databaseOf(name)).finally(() => session.close());
    },
    removal: (name) => `run DROP DATABASE ${quote(databaseOf(name))} on ${server.host}:${server.port}`,
    faultOf: asStoreFault,
  };
}

async function frozen(place: Place, name: string): Promise<Frozen> {
  const snapshot = await Snapshot.open(place, name);
  if (snapshot) return snapshot;
  throw serviceFault('BNY-SERVICE-STORE-DAMAGED', { found: `nothing in database ${place.databaseOf(name)}` });
}

/** Undefined while another session of the server holds it. */
async function leaseOf(place: Place, name: string): Promise<Lease | undefined> {
  const database = place.databaseOf(name);
  const session = await Session.open(place.server);
  const release = async () => {
    // Without this the server would need a moment to see that the connection has gone.
    if (!session.lost.aborted) await session.query('DO RELEASE_LOCK(?)', [database]).catch(() => undefined);
    session.close();
  };
  try {
    const [row] = await session.query('SELECT GET_LOCK(?, 0) AS held', [database]);
    if (row?.['held'] !== 1) return await release().then(() => undefined);
    return {
      lost: session.lost,
      open: (options = {}) => MysqlStore.open(session, place, name, options),
      clear: () => dropDatabase(session, database),
      release,
    };
  } catch (error) {
    session.close();
    throw error;
  }
}

async function dropDatabase(session: Session, database: string): Promise<void> {
  await session.query(`DROP DATABASE IF EXISTS ${quote(database)}`, [], DROP_MS);
}
