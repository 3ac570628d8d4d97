import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import type { Logger } from 'pino';
import { query } from '../cdc/connection.ts';
import type { SeedChunk } from '../cdc/emitter/seeder.ts';
import type { CapturedTables, Change, SeedProgress, Value } from '../cdc/index.ts';
import { quoteName } from '../cdc/values/select.ts';
import { ChunkReader } from './chunk-reader.ts';
import { overload, throttledBy } from './throttle.ts';
import { Window } from './window.ts';

/** Chunks that are read before the first of them has come round in the stream. */
const READ_AHEAD = 3;
const RETRY_MS = 2000;

export interface RunOptions {
  domain: string;
  tables: CapturedTables;
  progress: SeedProgress;
  /** The monolith's schema, and Banyan's. */
  schema: string;
  banyanSchema: string;
  /** The user's own: while its value is above 0, nothing is read. */
  throttleQuery?: string | undefined;
  /** A connection made for `compileSelect`. */
  connect(): Promise<Connection>;
  logger: Logger;
}

export interface RunStatus {
  table: string;
  rows: number;
  estimate: number;
  state: 'reading' | 'paused' | 'throttled' | 'failed';
  reason: string | null;
}

/**
 * Reads a domain's tables chunk by chunk, beside the stream. A chunk is handed out when its high watermark comes round;
 * whatever goes wrong before that throws away the chunks in flight and begins again behind the last one handed out.
 */
export class Run {
  readonly #options: RunOptions;
  readonly #stop = new AbortController();
  /** In reading order: the first is the next to be handed out. */
  #inFlight: Window[] = [];
  /** Table → key of the last row handed out; the tables that are done are in `#done`. */
  readonly #lastKeys = new Map<string, Value[]>();
  readonly #done = new Set<string>();
  readonly #estimates = new Map<string, number>();
  readonly #names: string[];
  #progress: SeedProgress;
  #rows = 0;
  #counter = 0;
  /** Woken when a chunk was handed out, settings changed, or the run is stopped. */
  #wake: () => void = () => undefined;
  /** What was in flight is worth nothing any more. */
  #restart = false;
  #status: RunStatus;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#progress = options.progress;
    this.#names = Object.keys(options.tables);
    for (const [table, { lastKey, done, rows }] of Object.entries(options.progress.tables)) {
      if (lastKey) this.#lastKeys.set(table, lastKey);
      if (done) this.#done.add(table);
      this.#rows += rows;
    }
    this.#status = { table: this.#names[0] ?? '', rows: this.#rows, estimate: 0, state: 'reading', reason: null };
    void this.#readUntilDone();
  }

  get status(): RunStatus {
    const estimate = this.#names.reduce((sum, table) => sum + (this.#estimates.get(table) ?? 0), 0);
    return { ...this.#status, rows: this.#rows, estimate: Math.max(estimate, this.#rows) };
  }

  get run(): string {
    return this.#progress.run;
  }

  tune(progress: SeedProgress): void {
    this.#progress = progress;
    this.#wake();
  }

  stop(): void {
    this.#stop.abort();
    this.#wake();
  }

  change(change: Change, emitted: boolean): void {
    for (const window of this.#inFlight) {
      if (window.table !== change.table) continue;
      window.pass(change, emitted);
      if (window.isFull) this.#begin();
    }
  }

  definitionChanged(table: string): void {
    if (this.#names.includes(table) && !this.#done.has(table)) this.#begin();
  }

  /** Throws away what is in flight, and reads on behind the last chunk handed out. */
  #begin(): void {
    this.#restart = true;
    this.#inFlight = [];
    this.#wake();
  }

  /** A watermark of this run has come round in the stream. */
  watermark(id: string, edge: string): SeedChunk | undefined {
    const window = this.#inFlight.find((candidate) => candidate.id === id);
    if (!window) return undefined;
    if (edge === 'low') {
      window.open();
      return undefined;
    }
    this.#inFlight = this.#inFlight.filter((candidate) => candidate !== window);
    const { table, last } = window;
    const upTo = window.rows.at(-1)?.key;
    if (upTo) this.#lastKeys.set(table, upTo);
    if (last) this.#done.add(table);
    this.#rows += window.rows.length;
    this.#wake();
    const { domain } = this.#options;
    const lastTable = this.#names.every((name) => this.#done.has(name));
    return { domain, run: this.run, table, rows: window.close(), upTo, tableDone: last, lastTable };
  }

  async #readUntilDone(): Promise<void> {
    while (!this.#stop.signal.aborted && this.#names.some((table) => !this.#done.has(table))) {
      let connection: Connection | undefined;
      try {
        connection = await this.#options.connect();
        await this.#readTables(connection);
      } catch (error) {
        this.#inFlight = [];
        this.#status = { ...this.#status, state: 'failed', reason: (error as Error).message };
        this.#options.logger.warn({ error, domain: this.#options.domain }, 'seed interrupted; trying again');
        await sleep(RETRY_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      } finally {
        connection?.destroy();
      }
    }
  }

  async #readTables(connection: Connection): Promise<void> {
    const { schema, tables } = this.#options;
    this.#restart = false;
    const readers = new Map<string, ChunkReader>();
    for (const [table, captured] of Object.entries(tables)) {
      const reader = await ChunkReader.open(connection, schema, table, captured);
      readers.set(table, reader);
      this.#estimates.set(table, reader.estimate);
    }
    for (const [table, reader] of readers) {
      if (!this.#done.has(table) && !(await this.#readTable(connection, table, reader))) return;
    }
  }

  /** False when it must begin again or end. */
  async #readTable(connection: Connection, table: string, reader: ChunkReader): Promise<boolean> {
    let last = this.#lastKeys.get(table);
    let atEnd = false;
    while (!this.#done.has(table)) {
      if (this.#stop.signal.aborted || this.#restart) return false;
      if (atEnd || this.#inFlight.length >= READ_AHEAD) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      if (await this.#mustWait(connection, table)) continue;
      const window = new Window(`${randomUUID()}-${this.#counter++}`, table);
      this.#inFlight.push(window);
      await this.#mark(connection, window, 'low');
      // Taken once: the setting may change while the chunk is read.
      const limit = reader.limit(this.#progress.chunkRows);
      window.rows = await reader.read(last, limit);
      window.last = window.rows.length < limit;
      await this.#mark(connection, window, 'high');
      last = window.rows.at(-1)?.key ?? last;
      atEnd = window.last;
    }
    return true;
  }

  /** Waits a little when the run is paused or the monolith is too busy. */
  async #mustWait(connection: Connection, table: string): Promise<boolean> {
    const { paused } = this.#progress;
    const reason = paused ? 'paused by `banyan etl --pause`' : await this.#throttle(connection);
    this.#status = {
      ...this.#status,
      table,
      state: paused ? 'paused' : reason ? 'throttled' : 'reading',
      reason: reason ?? null,
    };
    if (reason) await sleep(200, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    return reason !== undefined;
  }

  async #throttle(connection: Connection): Promise<string | undefined> {
    const { throttleQuery } = this.#options;
    const { maxLoad } = this.#progress;
    const reason = maxLoad ? await overload(connection, maxLoad) : undefined;
    return reason ?? (throttleQuery ? await throttledBy(connection, throttleQuery) : undefined);
  }

  /** Commits a watermark: the row comes round in the stream after all that was committed before it. */
  async #mark(connection: Connection, { id }: Window, edge: 'low' | 'high'): Promise<void> {
    await query(
      connection,
      `INSERT INTO ${quoteName(this.#options.banyanSchema)}.watermark (domain, chunk, edge) VALUES (?, ?, ?)
       ON DUPLICATE KEY UPDATE chunk = VALUES(chunk), edge = VALUES(edge)`,
      [this.#options.domain, id, edge],
    );
  }
}
