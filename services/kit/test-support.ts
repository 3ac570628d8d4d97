import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { type Change, changedColumns, type Row, type Value } from '../../cdc/index.ts';
import { type LoggedEvent, RESET_TYPE } from '../../log/index.ts';
import type { Domain } from './domain.ts';
import type { RowChange } from './handback.ts';
import { EventApplier, type Projection } from './projection.ts';
import { ask, type Queries, type QueryRequest } from './queries.ts';
import { Fold } from './store/fold.ts';
import { openSqliteStores } from './store/sqlite/stores.ts';
import type { Lease, Store, StoreReader, Stores } from './store/types.ts';

// Only tests may import this file.

/** What a domain's capture makes of a change, checked against events.ts and read back. */
export function captured(domain: Domain, table: string, { before, after }: { before?: Row; after?: Row }) {
  const kind = before && after ? 'update' : before ? 'delete' : 'insert';
  const row = after ?? before ?? {};
  const key = domain.tables[table]?.key.map((column) => row[column] as Value) ?? [];
  const change: Change = { table, kind, key, ...(before && { before }), ...(after && { after }) };
  const events = [domain.capture[table]?.(change) ?? []].flat();
  return events.map((event) => [event.type, event.key, JSON.parse(domain.encode(event).data)]);
}

/** An event as a log holds it. */
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

/** Small numbers in a fixed order (Lehmer's generator): the same seed gives the same test. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Random events of every type that a projection reads, about few rows, with a reset now and then. */
export function randomEvents(projection: Projection, count: number, next: () => number): LoggedEvent[] {
  const pick = <T>(from: readonly T[]) => from[Math.floor(next() * from.length)] as T;
  const sample = (schema: unknown): unknown => {
    if (schema instanceof z.ZodObject) {
      return Object.fromEntries(Object.entries(schema.shape).map(([name, inner]) => [name, sample(inner)]));
    }
    if (schema instanceof z.ZodNullable) return next() < 0.3 ? null : sample(schema.unwrap());
    if (schema instanceof z.ZodOptional) return sample(schema.unwrap());
    if (schema instanceof z.ZodEnum) return pick(schema.options);
    if (schema instanceof z.ZodNumber) return pick([1, 2, 3]);
    if (schema instanceof z.ZodString) return pick(['a', 'b', 'c']);
    return schema instanceof z.ZodArray ? [] : { any: pick([1, 2, 3]) };
  };
  return Array.from({ length: count }, (_, offset) => {
    const { domain, definitions } = pick([...projection.subscriptions.values()]).events;
    if (next() < 0.01) return logged(domain, offset, RESET_TYPE, {});
    const [type, definition] = pick(Object.entries(definitions));
    return logged(domain, offset, type, sample(definition) as object);
  });
}

/**
 * Hands random events back into rows. Each change of a row that this makes is captured, and what is captured handed
 * back once more: `lost` are those that came out otherwise, `types` those that were captured.
 */
export function handedBack({ name, events, tables, capture, handback = {}, projection }: Domain, next: () => number) {
  const rows = new Map<string, Row>();
  const changesOf = ({ type, data }: { type: string; data: unknown }) =>
    (handback[type]?.({ data: data as never }) ?? []).flatMap((change) => rowChange(tables, rows, change));
  const lost: unknown[] = [];
  const types = new Set<string>();
  for (const event of randomEvents(projection, 10_000, next).filter(({ topic }) => topic === name)) {
    if (event.type === RESET_TYPE) continue;
    for (const change of changesOf({ type: event.type, data: events.decode(event) })) {
      const captured = [capture[change.table]?.(change) ?? []].flat();
      const again = captured.flatMap(changesOf);
      if (!isDeepStrictEqual(again, [change])) lost.push({ change, captured, again });
      for (const { type } of captured) types.add(type);
      if (change.after) rows.set(rowId(change), change.after);
      else rows.delete(rowId(change));
    }
  }
  return { lost: lost.slice(0, 3), types: events.types.filter((type) => types.has(type)) };
}

const rowId = ({ table, key }: Pick<Change, 'table' | 'key'>) => JSON.stringify([table, key]);

function rowChange(tables: Domain['tables'], rows: ReadonlyMap<string, Row>, handed: RowChange): Change[] {
  if ('derive' in handed) return [];
  const { table } = handed;
  const row = 'put' in handed ? handed.put : handed.delete;
  const key = tables[table]?.key.map((column) => row[column] as Value) ?? [];
  const before = rows.get(rowId({ table, key }));
  if ('delete' in handed) return before ? [{ table, kind: 'delete', key, before }] : [];
  if (!before) return [{ table, kind: 'insert', key, after: row }];
  const change: Change = { table, kind: 'update', key, before, after: { ...before, ...row } };
  return changedColumns(change).length === 0 ? [] : [change];
}

type Told = readonly [topic: string, type: string, data: object];

/** A store filled with events in the order told: in a file of its own, or among the stores given. */
export class FilledStore {
  readonly store: Store;
  readonly stores: Stores;
  /** As queries get it. */
  readonly reader: StoreReader;
  readonly #lease: Lease;
  readonly #folder: string;

  private constructor(folder: string, stores: Stores, lease: Lease, store: Store) {
    this.#folder = folder;
    this.stores = stores;
    this.#lease = lease;
    this.store = store;
    this.reader = stores.reader(NAME);
  }

  static async tell(projection: Projection, story: readonly Told[]): Promise<FilledStore> {
    const events = story.map(([topic, type, data], offset) => {
      projection.subscriptions.get(topic)?.events.encode({ type, key: '', data });
      return logged(topic, offset, type, data);
    });
    return FilledStore.open(projection, events);
  }

  /** Leaves out what the projection does not read. */
  static async open(projection: Projection, events: readonly LoggedEvent[], given?: Stores): Promise<FilledStore> {
    const folder = await mkdtemp(join(tmpdir(), 'banyan-store-'));
    const stores =
      given ??
      openSqliteStores({ pathOf: (name) => join(folder, name), projection, logIdentity: 'test', partitions: {} });
    const lease = (await stores.lease(NAME)) as Lease;
    const store = await lease.open();
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
    return new FilledStore(folder, stores, lease, store);
  }

  async ask(queries: Queries, route: string, request: Partial<QueryRequest> = {}): Promise<unknown> {
    const query = queries[route];
    if (!query) throw new Error(`no query for ${route}`);
    return this.reader.read((db) => ask(query, { params: {}, query: {}, identity: undefined, db, ...request }));
  }

  async close(): Promise<void> {
    await this.reader.close();
    await this.store.close();
    await this.#lease.release();
    await rm(this.#folder, { recursive: true });
  }
}

const NAME = '1';
