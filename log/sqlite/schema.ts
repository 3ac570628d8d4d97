import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { BanyanError, logFault } from '../errors.ts';
import type { Topics } from '../types.ts';
import { sqliteFault } from './errors.ts';

/** The first version without the WAL-reset bug, which corrupts files that several processes use. */
const NEEDED_SQLITE = [3, 51, 3];

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS meta (identity TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS partitions (
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL, UNIQUE (topic, partition)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS writers (
    id TEXT PRIMARY KEY, generation INTEGER NOT NULL, number INTEGER NOT NULL,
    state TEXT, ends TEXT NOT NULL, sequences TEXT NOT NULL
  ) STRICT;
`;

/**
 * One table for each partition: appends always go to the right edge of its tree, and a topic can be read or lost
 * without the others.
 */
function partitionTable(id: number, compacted: boolean): string {
  return `
    CREATE TABLE events_${id} (
      offset INTEGER PRIMARY KEY, key TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, version INTEGER NOT NULL,
      time TEXT NOT NULL, origin TEXT NOT NULL, epoch INTEGER NOT NULL, position TEXT, seed TEXT,
      sequence INTEGER NOT NULL, data TEXT NOT NULL
    ) STRICT;
    ${compacted ? `CREATE UNIQUE INDEX newest_${id} ON events_${id} (key);` : ''}`;
}

/** Opens a connection as every process must: WAL, and FULL, because NORMAL may forget commits at a power loss. */
export function connect(file: string): Database.Database {
  return guarded(() => {
    mkdirSync(dirname(file), { recursive: true });
    return orClosed(new Database(file, { timeout: 10_000 }), (db) => {
      const version = db.prepare('SELECT sqlite_version()').pluck().get() as string;
      if (!isAtLeast(version)) {
        throw sqliteFault('BNY-LOG-SQLITE-VERSION', { found: version, needed: `${NEEDED_SQLITE.join('.')} or newer` });
      }
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = FULL');
      db.pragma('wal_autocheckpoint = 4000');
      return db;
    });
  });
}

/** What `use` makes of `db`, which is closed when it throws: who gets no result would have nothing to close. */
export function orClosed<T>(db: Database.Database, use: (db: Database.Database) => T): T {
  try {
    return use(db);
  } catch (error) {
    db.close();
    throw error;
  }
}

function isAtLeast(version: string): boolean {
  const parts = version.split('.').map(Number);
  const i = NEEDED_SQLITE.findIndex((needed, at) => parts[at] !== needed);
  return i < 0 || (parts[i] ?? 0) > (NEEDED_SQLITE[i] ?? 0);
}

export interface Partition {
  id: number;
  topic: string;
  partition: number;
}

/** Makes what is missing and returns the partitions of every topic. Safe when several processes do it at once. */
export function prepare(db: Database.Database, topics: Topics): Map<string, Partition[]> {
  const run = db.transaction(() => {
    db.exec(SCHEMA);
    if (!db.prepare('SELECT 1 FROM meta').get()) db.prepare('INSERT INTO meta VALUES (?)').run(randomUUID());
    const result = new Map<string, Partition[]>();
    for (const [topic, options] of Object.entries(topics)) {
      result.set(topic, preparePartitions(db, topic, options.partitions ?? 1, options.compacted ?? false));
    }
    return result;
  });
  return guarded(() => run.immediate());
}

function preparePartitions(db: Database.Database, topic: string, count: number, compacted: boolean): Partition[] {
  const select = db.prepare<[string], Partition>('SELECT * FROM partitions WHERE topic = ? ORDER BY partition');
  const found = select.all(topic);
  if (found.length > 0 && found.length !== count) {
    throw logFault('BNY-LOG-PARTITIONS', {
      found: `${topic}: ${count} configured`,
      needed: `${found.length}, as it was made`,
    });
  }
  if (found.length > 0) return found;
  for (let partition = 0; partition < count; partition++) {
    const { lastInsertRowid } = db
      .prepare('INSERT INTO partitions (topic, partition) VALUES (?, ?)')
      .run(topic, partition);
    db.exec(partitionTable(Number(lastInsertRowid), compacted));
  }
  return select.all(topic);
}

/** Runs `work` and names what SQLite complains about. */
export function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    // Not `instanceof`: the driver's error class may come from another realm.
    const { code, message } = error as { code?: unknown; message?: unknown };
    if (BanyanError.is(error) || typeof code !== 'string' || !code.startsWith('SQLITE_')) throw error;
    if (code.startsWith('SQLITE_FULL')) throw sqliteFault('BNY-LOG-FULL', { cause: error });
    if (code.startsWith('SQLITE_BUSY')) throw sqliteFault('BNY-LOG-BUSY', { cause: error });
    throw sqliteFault('BNY-LOG-DAMAGED', { found: `${code}: ${String(message)}`, cause: error });
  }
}
