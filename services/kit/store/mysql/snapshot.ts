import type { Cursors } from '../../../../log/index.ts';
import { type Applied, type Difference, type Frozen, NOTHING_APPLIED, type StoreOrigin } from '../types.ts';
import { differencesIn, hashOf, rowsInOrder } from './rows.ts';
import { checkClaims, quote } from './schema.ts';
import { type Server, Session } from './session.ts';

/** What the stores of a domain have in common. */
export interface Place {
  server: Server;
  origin: StoreOrigin;
  /** The database of a store by its name. */
  databaseOf(name: string): string;
}

/** A store at one moment: a transaction of its own that stays open, and sees nothing that is written after its start. */
export class Snapshot implements Frozen {
  readonly #session: Session;
  readonly #place: Place;
  readonly #database: string;

  private constructor(session: Session, place: Place, database: string) {
    this.#session = session;
    this.#place = place;
    this.#database = database;
  }

  /** Undefined while the store is still being made, or is not there. */
  static async open(place: Place, name: string): Promise<Snapshot | undefined> {
    const database = place.databaseOf(name);
    const session = await Session.open(place.server);
    try {
      await session.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
      if (await checkClaims(session, database, place.origin)) return new Snapshot(session, place, database);
    } catch (error) {
      session.close();
      if (!isMissing(error)) throw error;
    }
    session.close();
    return undefined;
  }

  cursors(): Promise<Cursors> {
    return cursorsIn(this.#session, this.#database);
  }

  applied(): Promise<Applied> {
    return appliedIn(this.#session, this.#database);
  }

  hash(): Promise<string> {
    return hashOf(this.#session, this.#database, this.#place.origin.projection.tables.values());
  }

  async differences(other: string, limit = 10): Promise<Difference[]> {
    const session = await Session.open(this.#place.server);
    const found: Difference[] = [];
    try {
      for (const table of this.#place.origin.projection.tables.values()) {
        const ours = rowsInOrder(this.#session, this.#database, table);
        const theirs = rowsInOrder(session, this.#place.databaseOf(other), table);
        for await (const difference of differencesIn(table, ours, theirs)) {
          if (found.push(difference) === limit) return found;
        }
      }
      return found;
    } finally {
      session.close();
    }
  }

  async close(): Promise<void> {
    this.#session.close();
  }
}

/** No such database, no such table. */
function isMissing(error: unknown): boolean {
  return [1049, 1146].includes((error as { errno?: number }).errno ?? 0);
}

export async function cursorsIn(session: Session, database: string): Promise<Cursors> {
  const rows = await session.query(`SELECT * FROM ${quote(database)}.banyan_cursors ORDER BY topic, \`partition\``);
  const cursors: Cursors = {};
  for (const { topic, offset, id } of rows) cursors[topic] = [...(cursors[topic] ?? []), { offset, id }];
  return cursors;
}

export async function appliedIn(session: Session, database: string): Promise<Applied> {
  const sql = `SELECT value FROM ${quote(database)}.banyan_meta WHERE \`key\` = 'applied'`;
  const [row] = await session.query(sql);
  return row ? (JSON.parse(row['value']) as Applied) : NOTHING_APPLIED;
}
