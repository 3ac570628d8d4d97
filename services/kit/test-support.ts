import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Knex } from 'knex';
import type { LoggedEvent } from '../../log/index.ts';
import { EventApplier, type Projection } from './projection.ts';
import { openReader } from './service.ts';
import { Fold } from './store/fold.ts';
import { SqliteStore } from './store/sqlite/store.ts';

/** An event as a log would hold it. */
export function logged(topic: string, offset: number, type: string, data: object, version = 1): LoggedEvent {
  return {
    topic,
    partition: 0,
    offset,
    sequence: offset,
    key: '',
    id: `${topic}-${offset}`,
    type,
    version,
    time: '2026-01-01T00:00:00.000Z',
    data: JSON.stringify(data),
    origin: 'monolith',
    epoch: 0,
  };
}

/** A store in a file of its own, filled with those of the events that its projection reads. Only for tests. */
export class FilledStore {
  readonly store: SqliteStore;
  /** As queries get it. */
  readonly db: Knex;
  readonly #folder: string;

  private constructor(folder: string, file: string, store: SqliteStore) {
    this.#folder = folder;
    this.store = store;
    this.db = openReader(file);
  }

  static async open(projection: Projection, events: readonly LoggedEvent[]): Promise<FilledStore> {
    const folder = await mkdtemp(join(tmpdir(), 'banyan-store-'));
    const file = join(folder, 'store.db');
    const store = new SqliteStore({ file, projection, logIdentity: 'test', partitions: {} });
    const fold = new Fold();
    const applier = new EventApplier(projection, fold);
    const before = await store.cursors();
    const after = { ...before };
    for (const event of events) {
      const { topic, offset, id } = event;
      if (!(topic in after)) continue;
      applier.apply({ ...event });
      after[topic] = [{ offset, id }];
    }
    await store.commit(fold, before, after);
    return new FilledStore(folder, file, store);
  }

  async close(): Promise<void> {
    await this.db.destroy();
    await this.store.close();
    await rm(this.#folder, { recursive: true });
  }
}
