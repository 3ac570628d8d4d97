import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { BanyanError } from '../../../../log/index.ts';
import { serviceFault } from '../../errors.ts';
import type { Projection } from '../../projection.ts';
import type { Table } from '../../table.ts';
import { claimsOf } from '../claims.ts';
import type { OpenOptions, StoreOrigin } from '../types.ts';

export interface StoreFile extends StoreOrigin, OpenOptions {
  file: string;
}

/** Opens a store's file, making it when it is not there. */
export function openFile(options: StoreFile): Database.Database {
  mkdirSync(dirname(options.file), { recursive: true });
  const db = new Database(options.file, { timeout: 10_000 });
  try {
    prepare(db, options);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The log is the durable side, so NORMAL is enough here. */
function prepare(db: Database.Database, options: StoreFile): void {
  const { projection, partitions, indexesLater } = options;
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  db.pragma('wal_autocheckpoint = 4000');
  const run = db.transaction(() => {
    db.exec(`
      CREATE TABLE IF NOT EXISTS banyan_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS banyan_cursors (
        topic TEXT, partition INTEGER, offset INTEGER NOT NULL, id TEXT NOT NULL, PRIMARY KEY (topic, partition)
      ) STRICT;`);
    const claim = db.prepare('INSERT OR IGNORE INTO banyan_meta VALUES (?, ?)');
    for (const { key, value } of claimsOf(options)) claim.run(key, value);
    checkClaims(db, options);
    for (const table of projection.tables.values()) db.exec(createTable(table));
    if (!indexesLater) for (const sql of createIndexes(projection)) db.exec(sql);
    const start = db.prepare('INSERT OR IGNORE INTO banyan_cursors VALUES (?, ?, -1, ?)');
    for (const topic of projection.topics) for (let p = 0; p < (partitions[topic] ?? 1); p++) start.run(topic, p, '');
  });
  run.immediate();
}

/** @throws BNY-SERVICE-STORE-LOG, BNY-SERVICE-STORE-SCHEMA */
export function checkClaims(db: Database.Database, options: StoreFile): void {
  const fact = db.prepare('SELECT value FROM banyan_meta WHERE key = ?').pluck();
  for (const { key, value, code } of claimsOf(options)) {
    const found = fact.get(key) as string;
    if (found === value) continue;
    throw serviceFault(code, { found: `${found} in ${options.file} (its -wal and -shm belong to it)`, needed: value });
  }
}

export function createTable({ name, columns, key }: Table): string {
  const types = { integer: 'INTEGER', real: 'REAL', text: 'TEXT', json: 'TEXT' } as const;
  const definitions = columns.map((c) => `${quote(c.name)} ${types[c.base]}${c.nullable ? '' : ' NOT NULL'}`);
  const rowId = key.length === 1 && columns.find((c) => c.name === key[0])?.base === 'integer';
  return `CREATE TABLE IF NOT EXISTS ${quote(name)} (
    ${definitions.join(', ')}, PRIMARY KEY (${key.map(quote).join(', ')})
  ) STRICT${rowId ? '' : ', WITHOUT ROWID'}`;
}

export function createIndexes({ tables }: Projection): string[] {
  return [...tables.values()].flatMap(({ name, indexes }) =>
    indexes.map(
      (columns) =>
        `CREATE INDEX IF NOT EXISTS ${quote(`${name}_${columns.join('_')}`)} ON ${quote(name)} (${columns.map(quote).join(', ')})`,
    ),
  );
}

export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** What SQLite's complaint means for a store; any other error as it is. */
export function asStoreFault(error: unknown): unknown {
  // Not `instanceof`: the driver's error class may come from another realm.
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (BanyanError.is(error) || typeof code !== 'string' || !code.startsWith('SQLITE_')) return error;
  const passes = /^SQLITE_(BUSY|FULL|IOERR|CANTOPEN)/.test(code);
  const found = `${code}: ${String(message)}`;
  return serviceFault(passes ? 'BNY-SERVICE-STORE-BLOCKED' : 'BNY-SERVICE-STORE-DAMAGED', { found, cause: error });
}
