import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import Database from 'better-sqlite3';
import type { Cursors } from '../../../../log/index.ts';
import { serviceFault } from '../../errors.ts';
import type { Projection } from '../../projection.ts';
import type { SqlValue, Table } from '../../table.ts';
import type { Fold, TableFold } from '../fold.ts';
import { type Applied, type Difference, NOTHING_APPLIED, type Store } from '../types.ts';
import { checkClaims, createIndexes, openFile, quote, type StoreFile } from './schema.ts';

interface Statements {
  put: Database.Statement;
  remove: Database.Statement;
  clear: Database.Statement;
}

/** A store in a SQLite file of its own. */
export class SqliteStore implements Store {
  readonly #db: Database.Database;
  readonly #projection: Projection;
  readonly #statements: ReadonlyMap<string, Statements>;

  constructor(options: StoreFile) {
    this.#projection = options.projection;
    this.#db = openFile(options);
    this.#statements = new Map(
      [...options.projection.tables.values()].map((table) => [table.name, statementsFor(this.#db, table)]),
    );
  }

  async cursors(): Promise<Cursors> {
    const rows = this.#db.prepare('SELECT * FROM banyan_cursors ORDER BY topic, partition').all() as CursorRow[];
    const cursors: Cursors = {};
    for (const { topic, offset, id } of rows) cursors[topic] = [...(cursors[topic] ?? []), { offset, id }];
    return cursors;
  }

  async applied(): Promise<Applied> {
    return appliedIn(this.#db);
  }

  async commit(fold: Fold, before: Cursors, after: Cursors): Promise<void> {
    const run = this.#db.transaction(() => {
      for (const table of fold.tables.values()) this.#write(table);
      this.#moveCursors(before, after);
    });
    run.immediate();
  }

  async setApplied(applied: Applied): Promise<void> {
    this.#db.prepare("INSERT OR REPLACE INTO banyan_meta VALUES ('applied', ?)").run(JSON.stringify(applied));
  }

  async createIndexes(): Promise<void> {
    for (const sql of createIndexes(this.#projection)) this.#db.exec(sql);
  }

  async hash(): Promise<string> {
    const hash = createHash('sha256');
    const hashAll = this.#db.transaction(() => {
      for (const table of this.#projection.tables.values()) {
        hash.update(`${table.name}\n`);
        for (const row of this.#db.prepare(selectAll(table)).raw().iterate()) hash.update(`${JSON.stringify(row)}\n`);
      }
    });
    hashAll.deferred();
    return hash.digest('hex');
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  #write({ table, cleared, puts, deletes }: TableFold): void {
    const statements = this.#statements.get(table.name) as Statements;
    if (cleared) statements.clear.run();
    for (const key of deletes.values()) statements.remove.run(...key);
    for (const values of puts.values()) statements.put.run(values);
  }

  #moveCursors(before: Cursors, after: Cursors): void {
    const move = this.#db.prepare(
      'UPDATE banyan_cursors SET offset = ?, id = ? WHERE topic = ? AND partition = ? AND offset = ?',
    );
    for (const [topic, partitions] of Object.entries(after)) {
      partitions.forEach(({ offset, id }, partition) => {
        const expected = before[topic]?.[partition]?.offset ?? -1;
        if (offset === expected) return;
        if (move.run(offset, id, topic, partition, expected).changes === 1) return;
        throw serviceFault('BNY-SERVICE-STORE-TAKEN', {
          found: `the cursor of ${topic} has moved on from ${expected}`,
        });
      });
    }
  }
}

function appliedIn(db: Database.Database): Applied {
  const value = db.prepare("SELECT value FROM banyan_meta WHERE key = 'applied'").pluck().get();
  return value === undefined ? NOTHING_APPLIED : (JSON.parse(value as string) as Applied);
}

/** How far a store is that another process keeps up, read beside it; undefined while that is still making it. */
export function peek(options: StoreFile): Applied | undefined {
  if (!existsSync(options.file)) return undefined;
  const db = new Database(options.file, { readonly: true, timeout: 10_000 });
  try {
    if (!db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'banyan_meta'").get()) return undefined;
    checkClaims(db, options);
    return appliedIn(db);
  } finally {
    db.close();
  }
}

interface CursorRow {
  topic: string;
  offset: number;
  id: string;
}

function statementsFor(db: Database.Database, table: Table): Statements {
  const name = quote(table.name);
  const columns = table.columns.map((column) => quote(column.name));
  const rest = table.columns.filter((column) => !table.key.includes(column.name)).map((column) => quote(column.name));
  const update = rest.length === 0 ? 'NOTHING' : `UPDATE SET ${rest.map((c) => `${c} = excluded.${c}`).join(', ')}`;
  // An upsert by primary key, never REPLACE: that removes other rows on a secondary conflict.
  return {
    put: db.prepare(
      `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
       ON CONFLICT (${table.key.map(quote).join(', ')}) DO ${update}`,
    ),
    remove: db.prepare(`DELETE FROM ${name} WHERE ${whereKey(table)}`),
    clear: db.prepare(`DELETE FROM ${name}`),
  };
}

function selectAll(table: Table): string {
  const columns = table.columns.map((column) => quote(column.name)).join(', ');
  return `SELECT ${columns} FROM ${quote(table.name)} ORDER BY ${table.key.map(quote).join(', ')}`;
}

/** Copies a store that is in use, as it stands at one moment. */
export function freeze(file: string, copy: string): void {
  const db = new Database(file, { readonly: true, fileMustExist: true });
  try {
    db.prepare('VACUUM INTO ?').run(copy);
  } finally {
    db.close();
  }
}

/** Removes the rows of a store; whoever holds its lock keeps it. */
export async function removeStore(file: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm']) await rm(file + suffix, { force: true });
}

/** The first rows that two stores of one projection disagree about. */
export function differences(fileA: string, fileB: string, projection: Projection, limit = 10): Difference[] {
  const found: Difference[] = [];
  const db = new Database(fileA, { readonly: true });
  try {
    db.prepare('ATTACH ? AS b').run(fileB);
    for (const table of projection.tables.values()) found.push(...differencesIn(db, table, limit));
  } finally {
    db.close();
  }
  return found.slice(0, limit);
}

/** Of `main` and `b`. A row's counterpart is looked up: it may stand anywhere among the rows that `b` has alone. */
function differencesIn(db: Database.Database, table: Table, limit: number): Difference[] {
  type Row = Record<string, SqlValue>;
  const columns = table.columns.map((column) => quote(column.name)).join(', ');
  const rows = (schema: string) => `SELECT ${columns} FROM ${schema}.${quote(table.name)}`;
  const onlyIn = (one: string, other: string) =>
    db.prepare(`${rows(one)} EXCEPT ${rows(other)} LIMIT ?`).all(limit) as Row[];
  const counterpart = (schema: string, row: Row) =>
    db.prepare(`${rows(schema)} WHERE ${whereKey(table)}`).get(...table.keyOf(row)) as Row | undefined;
  const different = (row: Row): Difference => {
    const other = counterpart('b', row);
    const changed = other ? Object.keys(row).filter((column) => row[column] !== other[column]) : [];
    return { table: table.name, key: table.keyOf(row), kind: other ? 'different' : 'missing', columns: changed };
  };
  const extra = onlyIn('b', 'main').filter((row) => !counterpart('main', row));
  return [
    ...onlyIn('main', 'b').map(different),
    ...extra.map((row): Difference => ({ table: table.name, key: table.keyOf(row), kind: 'extra', columns: [] })),
  ];
}

function whereKey(table: Table): string {
  return table.key.map((column) => `${quote(column)} = ?`).join(' AND ');
}
