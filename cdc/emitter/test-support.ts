import pino from 'pino';
import {
  BanyanError,
  type EventLog,
  fromStart,
  type LoggedEvent,
  type LogWriter,
  openMemoryLog,
  topicsFor,
} from '../../log/index.ts';
import type { Change, Disturbance, Finding, ResumePoint, Source, Transaction } from '../types.ts';
import type { CapturedDomain } from './capture.ts';
import { type EmitterOptions, emit } from './emitter.ts';
import type { Seeder } from './seeder.ts';

export const TOPICS = topicsFor({ orders: {}, parcels: {} });

/** A domain whose capture makes one event of each change; `fails` makes it throw. */
export function domain(name: string, table: string, fails: (change: Change) => boolean = () => false): CapturedDomain {
  return {
    name,
    tables: { [table]: { key: ['id'], columns: ['id', 'text'] } },
    capture: {
      [table]: (change) => {
        if (fails(change)) throw new Error('the capture has a bug');
        return { type: 'Changed', key: String(change.key[0]), data: { kind: change.kind, row: change.after ?? null } };
      },
    },
    encode: (event) => ({ version: 1, data: JSON.stringify(event.data) }),
  };
}

export function insert(table: string, id: number, text = 'x'): Change {
  return { table, kind: 'insert', key: [id], after: { id, text } };
}

/** A source that delivers what a test puts into it, from any resume point on. */
export class ScriptedSource implements Source {
  readonly transactions: Transaction[] = [];
  readonly findings: Finding[] = [];
  #arrived: () => void = () => undefined;

  add(changes: Change[], disturbances: Disturbance[] = []): void {
    const n = this.transactions.length;
    const position = String(n).padStart(6, '0');
    const resume: ResumePoint = { n };
    this.transactions.push({
      position,
      gtid: `0-1-${n}`,
      committedAt: '2026-01-01T00:00:00.000Z',
      changes,
      disturbances,
      part: 0,
      last: true,
      resume,
    });
    this.#arrived();
  }

  async *read(from: ResumePoint | undefined, signal: AbortSignal): AsyncIterable<Transaction[]> {
    for (let next = from ? Number(from['n']) + 1 : 0; !signal.aborted; ) {
      const batch = this.transactions.slice(next, next + 3);
      next += batch.length;
      if (batch.length > 0) yield batch;
      else {
        await new Promise<void>((resolve) => {
          this.#arrived = resolve;
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    }
  }

  async check() {
    return this.findings;
  }

  async head() {
    return String(this.transactions.length - 1).padStart(6, '0');
  }

  async close() {}
}

export const NO_SEEDER: Seeder = {
  start: () => undefined,
  tune: () => undefined,
  stop: () => undefined,
  onChange: () => undefined,
  onDefinitionChange: () => undefined,
  onWatermark: () => undefined,
};

/** A log whose appends fail at chosen moments: before anything was written, or after everything was. */
export function faultyLog(log: EventLog, fault: () => 'before' | 'after' | undefined): EventLog {
  return { ...bound(log), writer: async (id) => faulty(await log.writer(id), fault) };
}

function faulty(writer: LogWriter, fault: () => 'before' | 'after' | undefined): LogWriter {
  // In order, and none after one that failed, as the port has it.
  let last: Promise<unknown> = Promise.resolve();
  const append: LogWriter['append'] = async (events, state) => {
    const when = fault();
    // As with a real log, the emitter goes on meanwhile.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (when === 'before') throw new Error('lost before the append');
    const checkpoint = await writer.append(events, state);
    if (when === 'after') throw new Error('lost after the append');
    return checkpoint;
  };
  return {
    id: writer.id,
    generation: writer.generation,
    get checkpoint() {
      return writer.checkpoint;
    },
    append(events, state) {
      const next = last.then(() => append(events, state));
      last = next;
      return next;
    },
    close: () => writer.close(),
  };
}

function bound(log: EventLog): EventLog {
  return {
    identity: () => log.identity(),
    writer: (id) => log.writer(id),
    post: (events) => log.post(events),
    read: (from, options) => log.read(from, options),
    ends: (topics) => log.ends(topics),
    checkpoint: (writer) => log.checkpoint(writer),
    close: () => log.close(),
  };
}

export function memoryLog(): EventLog {
  return faultyLog(openMemoryLog(TOPICS), () => undefined);
}

/** Runs sessions of the emitter until everything in the source is in the log, through any number of crashes. */
export async function emitAll(
  source: ScriptedSource,
  domains: CapturedDomain[],
  log: EventLog,
  until: () => Promise<boolean>,
): Promise<void> {
  for (let session = 0; session < 200; session++) {
    const stop = new AbortController();
    const running = emit(options(source, domains, log), stop.signal).catch((error: unknown) => {
      if (BanyanError.is(error)) throw error;
    });
    const ended = running.then(() => true);
    for (;;) {
      if (await until()) {
        stop.abort();
        await ended;
        return;
      }
      if (await Promise.race([ended, new Promise<false>((resolve) => setImmediate(resolve, false))])) break;
    }
  }
  throw new Error('the emitter did not get through');
}

export function options(source: ScriptedSource, domains: CapturedDomain[], log: EventLog): EmitterOptions {
  return {
    log,
    source,
    domains,
    seeder: NO_SEEDER,
    beat: async () =>
      source.add([
        { table: 'heartbeat', kind: 'update', key: [1], after: { id: 1, beat: source.transactions.length } },
      ]),
    ownTables: { heartbeat: 'heartbeat', watermark: 'watermark', ownership: 'ownership' },
    heartbeatIntervalMs: 60_000,
    instance: 'test',
    logger: pino({ level: 'silent' }),
  };
}

export async function eventsOf(log: EventLog, ...topics: string[]): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  for await (const batch of log.read(fromStart(topics, TOPICS), { follow: false })) events.push(...batch);
  return events;
}
