import { randomUUID } from 'node:crypto';
import type { ResultSetHeader } from 'mysql2/promise';
import type { Cursors } from '../../../../log/index.ts';
import { serviceFault } from '../../errors.ts';
import type { Fold } from '../fold.ts';
import type { Applied, OpenOptions, Store } from '../types.ts';
import { createIndexes, prepare, quote } from './schema.ts';
import type { Session } from './session.ts';
import { appliedIn, cursorsIn, type Place, Snapshot } from './snapshot.ts';
import { statementsFor } from './statements.ts';

/**
 * A store in a database of its own, written on the connection that holds the right to: when that is lost, nothing can be
 * written any more. Each commit also finds its own token in the store, or writes nothing: that holds where the lock does
 * not, as on clusters with several writable nodes, and behind proxies that share connections.
 */
export class MysqlStore implements Store {
  readonly #session: Session;
  readonly #place: Place;
  readonly #name: string;
  readonly #database: string;
  readonly #token: string;
  readonly #packetBytes: number;

  private constructor(session: Session, place: Place, name: string, token: string, packetBytes: number) {
    this.#session = session;
    this.#place = place;
    this.#name = name;
    this.#database = quote(place.databaseOf(name));
    this.#token = token;
    this.#packetBytes = packetBytes;
  }

  static async open(session: Session, place: Place, name: string, { indexesLater }: OpenOptions): Promise<MysqlStore> {
    const database = place.databaseOf(name);
    await prepare(session, database, place.origin);
    if (!indexesLater) await createIndexes(session, database, place.origin);
    const token = randomUUID();
    const [row] = await session.query('SELECT @@max_allowed_packet AS bytes');
    const store = new MysqlStore(session, place, name, token, Number(row?.['bytes']));
    await store.#setMeta('writer', token);
    return store;
  }

  cursors(): Promise<Cursors> {
    return cursorsIn(this.#session, this.#place.databaseOf(this.#name));
  }

  applied(): Promise<Applied> {
    return appliedIn(this.#session, this.#place.databaseOf(this.#name));
  }

  async commit(fold: Fold, before: Cursors, after: Cursors): Promise<void> {
    await this.#write(async () => {
      for (const table of fold.tables.values()) {
        const statements = statementsFor(this.#place.databaseOf(this.#name), table, this.#packetBytes);
        for (const sql of statements) await this.#session.query(sql);
      }
      await this.#moveCursors(before, after);
    });
  }

  async setApplied(applied: Applied): Promise<void> {
    await this.#write(() => this.#setMeta('applied', JSON.stringify(applied)));
  }

  createIndexes(): Promise<void> {
    return createIndexes(this.#session, this.#place.databaseOf(this.#name), this.#place.origin);
  }

  async hash(): Promise<string> {
    const snapshot = (await Snapshot.open(this.#place, this.#name)) as Snapshot;
    try {
      return await snapshot.hash();
    } finally {
      await snapshot.close();
    }
  }

  /** The connection is the lease's. */
  async close(): Promise<void> {}

  /** In a transaction that begins with the look at who may write: whoever takes over waits for its end. */
  async #write(work: () => Promise<void>): Promise<void> {
    await this.#session.transaction(async () => {
      const own = `SELECT value FROM ${this.#database}.banyan_meta WHERE \`key\` = 'writer' FOR UPDATE`;
      const [row] = await this.#session.query(own);
      if (row?.['value'] !== this.#token) throw taken('another projector has taken this store over');
      await work();
    });
  }

  async #setMeta(key: string, value: string): Promise<void> {
    const sql = `INSERT INTO ${this.#database}.banyan_meta VALUES (?, ?) ON DUPLICATE KEY UPDATE value = VALUES(value)`;
    await this.#session.query(sql, [key, value]);
  }

  async #moveCursors(before: Cursors, after: Cursors): Promise<void> {
    const move = `UPDATE ${this.#database}.banyan_cursors SET \`offset\` = ?, id = ?
      WHERE topic = ? AND \`partition\` = ? AND \`offset\` = ?`;
    for (const [topic, partitions] of Object.entries(after)) {
      for (const [partition, { offset, id }] of partitions.entries()) {
        const expected = before[topic]?.[partition]?.offset ?? -1;
        if (offset === expected) continue;
        const values = [offset, id, topic, partition, expected];
        const { affectedRows } = await this.#session.query<ResultSetHeader>(move, values);
        if (affectedRows !== 1) throw taken(`the cursor of ${topic} has moved on from ${expected}`);
      }
    }
  }
}

function taken(found: string) {
  return serviceFault('BNY-SERVICE-STORE-TAKEN', {
    found,
    cure: 'Connect services to one writable server, by a proxy that keeps a connection to itself. The projector goes on by itself.',
  });
}
