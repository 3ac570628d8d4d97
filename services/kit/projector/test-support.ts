import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { z } from 'zod';
import { type EmitterState, initialState, type ParkedState } from '../../../cdc/emitter/state.ts';
import { EMITTER } from '../../../cdc/index.ts';
import {
  type ControlFold,
  type Ends,
  type EventLog,
  type LatestRecord,
  type LogWriter,
  type NewEvent,
  openSqliteLog,
  readControlState,
  type SqliteLog,
  START,
  topicsFor,
} from '../../../log/index.ts';
import { defineDomain } from '../domain.ts';
import { defineEvents } from '../events.ts';
import { defineProjection, type Projection } from '../projection.ts';
import type { StoreFile } from '../store/sqlite/schema.ts';
import { SqliteStore } from '../store/sqlite/store.ts';
import { openSqliteStores } from '../store/sqlite/stores.ts';
import type { Store, Stores } from '../store/types.ts';
import { Projector, type ProjectorOptions } from './projector.ts';

// Only tests may import this file.

const noteEvents = defineEvents('notes', {
  NoteWritten: z.object({ id: z.int(), text: z.string() }),
  NoteErased: z.object({ id: z.int() }),
});
const tagEvents = defineEvents('tags', { TagPut: z.object({ note: z.int(), name: z.string(), weight: z.int() }) });

const TABLES = {
  notes: { from: 'notes', columns: { text: 'text', id: 'integer' }, key: ['id'], indexes: [['text']] },
  tags: { from: 'tags', columns: { note: 'integer', name: 'text', weight: 'integer' }, key: ['note', 'name'] },
} as const;

/** Two topics, two tables; `write` makes the text that is stored. */
export function notesProjection(write: (text: string) => string = (text) => text, events = noteEvents): Projection {
  return defineProjection(TABLES, (on) => [
    on(events, {
      NoteWritten: ({ data }, db) => db.notes.put({ ...data, text: write(data.text) }),
      NoteErased: ({ data }, db) => db.notes.delete(data.id),
    }),
    on(tagEvents, { TagPut: ({ data }, db) => db.tags.put(data) }),
  ]);
}

export const NOTES = defineDomain({
  name: 'notes',
  tables: { notes: { key: ['id'], columns: ['id', 'text'] } },
  routes: { reads: ['GET /notes', 'GET /file'], writes: [] },
  events: noteEvents,
  capture: { notes: () => undefined },
  projection: notesProjection(),
  queries: {
    'GET /notes': async ({ db }) => db('notes').orderBy('id').pluck('id'),
    'GET /file': async ({ db }) => (await db.raw('PRAGMA database_list'))[0].file,
  },
});

const TOPICS = topicsFor({ notes: {}, tags: {}, others: {} });

let ids = 0;

export function event(topic: string, type: string, data: object, version = 1): NewEvent {
  const time = '2026-01-01T00:00:00.000Z';
  const id = `e${ids++}`;
  return { topic, key: '', id, type, version, time, data: JSON.stringify(data), origin: 'monolith', epoch: 0 };
}

export function note(id: number, text = `text ${id}`): NewEvent {
  return event('notes', 'NoteWritten', { id, text });
}

export function tag(noteId: number, name = 'red', weight = 1): NewEvent {
  return event('tags', 'TagPut', { note: noteId, name, weight });
}

export function notes(from: number, to: number): NewEvent[] {
  return Array.from({ length: to - from + 1 }, (_, i) => note(from + i));
}

export const PARKED: ParkedState = { from: START, drained: undefined, changes: 1, reseed: false };

/** A log and stores in a folder of their own. */
export class Bed implements AsyncDisposable {
  readonly log: SqliteLog;
  readonly #folder: string;
  readonly #writer: LogWriter;
  readonly #stores: SqliteStore[] = [];
  readonly #held: Sqlite.Database[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>[] = [];

  private constructor(folder: string, log: SqliteLog, writer: LogWriter) {
    this.#folder = folder;
    this.log = log;
    this.#writer = writer;
  }

  static async make(): Promise<Bed> {
    const folder = await mkdtemp(join(tmpdir(), 'banyan-kit-'));
    const log = openSqliteLog({ file: join(folder, 'log.sqlite'), topics: TOPICS });
    return new Bed(folder, log, await log.writer(EMITTER));
  }

  /** Aborts when the bed is put away. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** As the emitter does it: events and checkpoint in one append. */
  async append(position: string, events: NewEvent[], state: Partial<EmitterState> = {}): Promise<Ends> {
    const full: EmitterState = { ...initialState(['notes']), position, freshAt: Date.now(), ...state };
    return (await this.#writer.append(events, full)).ends;
  }

  path(store: string): string {
    return join(this.#folder, 'stores', `notes.${store}.sqlite`);
  }

  file(store: string, projection = NOTES.projection): StoreFile {
    return { file: this.path(store), projection, logIdentity: 'test', partitions: {} };
  }

  get stores(): Stores {
    const { file: _, ...origin } = this.file('');
    return openSqliteStores({ pathOf: (store) => this.path(store), ...origin });
  }

  open(store: string, projection?: Projection): SqliteStore {
    const opened = new SqliteStore(this.file(store, projection));
    this.#stores.push(opened);
    return opened;
  }

  /** Applies everything that is in the log. */
  async catchUp(store: Store, options: Partial<ProjectorOptions> = {}): Promise<void> {
    const until = await this.log.ends(['notes', 'tags']);
    await this.project(store, { until, ...options });
  }

  /** Ends when the bed is put away, at the latest. */
  project(store: Store, options: Partial<ProjectorOptions> = {}): Promise<void> {
    return this.keep(
      new Projector({ log: this.log, projection: NOTES.projection, store, ...options }).run(this.signal),
    );
  }

  /** Waits for it when the bed is put away. */
  keep<T>(running: Promise<T>): Promise<T> {
    this.#running.push(running.catch(() => undefined));
    return running;
  }

  /** On a connection of its own, as an operator would. */
  sql(store: string, text: string): unknown[] {
    const db = new Sqlite(this.path(store));
    try {
      if (text.startsWith('SELECT')) return db.prepare(text).raw().all();
      db.exec(text);
      return [];
    } finally {
      db.close();
    }
  }

  /** Lets nobody else write into a store until the bed is put away. */
  hold(store: string): void {
    const db = new Sqlite(this.path(store));
    db.exec('BEGIN IMMEDIATE');
    this.#held.push(db);
  }

  notesIn(store: string): unknown[] {
    return this.sql(store, 'SELECT id FROM notes ORDER BY id').flat();
  }

  async control(): Promise<ControlFold> {
    return readControlState(this.log);
  }

  async latest(type: LatestRecord['type']): Promise<LatestRecord['data'][]> {
    return [...(await this.control()).latest.values()].filter((record) => record.type === type).map(({ data }) => data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    let ended = false;
    void Promise.all(this.#running).then(() => (ended = true));
    await until(() => ended);
    for (const db of this.#held) db.close();
    for (const store of this.#stores) await store.close();
    await this.log.close();
    await rm(this.#folder, { recursive: true });
  }
}

/** The real thing, with some of its methods replaced. */
export function faulty<T extends object>(real: T, faults: Partial<T>): T {
  return new Proxy(real, {
    get(target, key) {
      const value: unknown = Reflect.get(key in faults ? faults : target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** A log whose readers wait at `gate` before each batch. */
export function gated(log: EventLog, gate: () => Promise<unknown> | undefined): EventLog {
  return faulty(log, {
    async *read(from, options) {
      for await (const batch of log.read(from, options)) {
        await gate();
        yield batch;
      }
    },
  });
}

/** A log that gives out its events in small batches. */
export function inBatchesOf(limit: number, log: EventLog): EventLog {
  return faulty(log, { read: (from, options) => log.read(from, { ...options, limit }) });
}

/** Waits for what comes by itself. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`never came: ${holds}`);
    await sleep(5);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
