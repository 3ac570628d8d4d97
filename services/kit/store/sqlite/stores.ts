import { rm } from 'node:fs/promises';
import knexPackage from 'knex';
import { readIn } from '../reader.ts';
import type { Frozen, Lease, StoreOrigin, StoreReader, Stores } from '../types.ts';
import { lockOf, takeLock } from './lock.ts';
import { asStoreFault, type StoreFile } from './schema.ts';
import { differences, freeze, peek, removeStore, SqliteStore } from './store.ts';

export interface SqliteStoresOptions extends StoreOrigin {
  /** The file of a store by its name. */
  pathOf(name: string): string;
}

/** The stores of a domain, each in a SQLite file of its own. */
export function openSqliteStores({ pathOf, ...origin }: SqliteStoresOptions): Stores {
  const fileOf = (name: string): StoreFile => ({ file: pathOf(name), ...origin });
  return {
    lease: async (name) => leaseOf(fileOf(name)),
    peek: async (name) => peek(fileOf(name)),
    reader: (name) => openReader(pathOf(name)),
    freeze: (name, by) => frozen(fileOf(name), by, pathOf),
    async drop(name) {
      await removeStore(pathOf(name));
      await rm(lockOf(pathOf(name)), { force: true });
    },
    removal: (name) => `delete ${pathOf(name)}, ${pathOf(name)}-wal and ${pathOf(name)}-shm`,
    faultOf: asStoreFault,
  };
}

/** Nobody but its holder ends it: the system keeps the lock for as long as the process has the file open. */
function leaseOf(file: StoreFile): Lease | undefined {
  const lock = takeLock(lockOf(file.file));
  return (
    lock && {
      lost: new AbortController().signal,
      open: async (options) => new SqliteStore({ ...file, ...options }),
      clear: () => removeStore(file.file),
      release: async () => lock.release(),
    }
  );
}

async function frozen(live: StoreFile, by: string, pathOf: (name: string) => string): Promise<Frozen> {
  const file = `${live.file}.frozen-${by}`;
  await removeStore(file);
  try {
    freeze(live.file, file);
    const store = new SqliteStore({ ...live, file });
    return {
      cursors: () => store.cursors(),
      applied: () => store.applied(),
      hash: () => store.hash(),
      differences: async (other, limit) => differences(file, pathOf(other), live.projection, limit),
      async close() {
        await store.close();
        await removeStore(file);
      },
    };
  } catch (error) {
    await removeStore(file);
    throw error;
  }
}

export function openReader(filename: string): StoreReader {
  const db = knexPackage({
    client: 'better-sqlite3',
    connection: { filename, options: { readonly: true } },
    pool: { min: 0, max: 4 },
    useNullAsDefault: true,
  });
  return { read: async (work) => readIn(await db.transaction(), work), close: () => db.destroy() };
}
