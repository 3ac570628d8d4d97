import knexPackage, { type Knex } from 'knex';
import type { LoggedEvent } from '../../../../log/index.ts';
import { EventApplier, type Projection } from '../../projection.ts';
import type { SqlValue, Table } from '../../table.ts';
import { Fold } from '../fold.ts';
import { createIndexes, createTable } from './schema.ts';

/** A projection's tables in memory, for tests of a domain: no file, no cursors. */
export class MemoryStore {
  readonly db: Knex;
  readonly #projection: Projection;

  private constructor(projection: Projection, db: Knex) {
    this.#projection = projection;
    this.db = db;
  }

  static async open(projection: Projection): Promise<MemoryStore> {
    const connection = { filename: ':memory:' };
    const db = knexPackage({ client: 'better-sqlite3', connection, pool: { min: 1, max: 1 }, useNullAsDefault: true });
    for (const table of projection.tables.values()) await db.raw(createTable(table));
    for (const sql of createIndexes(projection)) await db.raw(sql);
    return new MemoryStore(projection, db);
  }

  /** Leaves out what the projection does not read. */
  async apply(events: readonly LoggedEvent[]): Promise<void> {
    const fold = new Fold();
    const applier = new EventApplier(this.#projection, fold);
    for (const event of events) applier.apply({ ...event });
    for (const { table, cleared, puts, deletes } of fold.tables.values()) {
      if (cleared) await this.db(table.name).delete();
      for (const key of deletes.values()) await this.db(table.name).where(named(table.key, key)).delete();
      for (const values of puts.values()) await this.#put(table, values);
    }
  }

  async #put(table: Table, values: readonly SqlValue[]): Promise<void> {
    const names = table.columns.map(({ name }) => name);
    await this.db(table.name).insert(named(names, values)).onConflict(table.key).merge();
  }

  /** Every table's rows in the order of their keys. */
  async rows(): Promise<Record<string, unknown[]>> {
    const rows: Record<string, unknown[]> = {};
    for (const { name, key } of this.#projection.tables.values())
      rows[name] = await this.db(name).orderBy(key.map((column) => ({ column })));
    return rows;
  }

  async close(): Promise<void> {
    await this.db.destroy();
  }
}

function named(names: readonly string[], values: readonly SqlValue[]): Record<string, SqlValue> {
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? null]));
}
