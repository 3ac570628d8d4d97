import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { EMITTER, type EmitterState } from '../../../cdc/index.ts';
import {
  CONTROL_TOPIC,
  type ControlRecord,
  type EventLog,
  openSqliteLog,
  readControl,
  type SqliteLog,
  START,
  type Topics,
} from '../../../log/index.ts';
import { usageOf } from '../machine.ts';
import type { Part } from '../workshop.ts';
import { TOPICS } from './topics.ts';

/** Looks into a log from outside. */
export class LogWatch {
  readonly file: string;
  readonly #log: SqliteLog;

  constructor(file: string, topics: Topics = TOPICS) {
    this.file = file;
    this.#log = openSqliteLog({ file, topics });
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  /** Events in a topic. */
  async count(topic: string): Promise<number> {
    const [end = -1] = (await this.#log.ends([topic]))[topic] ?? [];
    return end + 1;
  }

  /** Waits until the emitter of this process has a heartbeat in the log. */
  async emitterIsLive(emitter: Part): Promise<void> {
    const since = Date.now();
    await until(emitter, async () => ((await this.#state())?.freshAt ?? 0) >= since);
  }

  /** Waits until a topic holds `count` events, looking every 5 ms: the first look that found any, and the last. */
  async growth(emitter: Part, topic: string, count: number): Promise<{ first: Look; last: Look }> {
    let first: Look | undefined;
    await until(emitter, async () => {
      const now = await this.count(topic);
      if (now > 0) first ??= { count: now, ...lookAt(emitter) };
      return now >= count;
    });
    if (!first || first.count >= count) throw new Error(`all ${count} events came at once`);
    return { first, last: { count, ...lookAt(emitter) } };
  }

  /** When control records of these types were written (ms since the epoch); of each the newest. */
  async times(...types: ControlRecord['type'][]): Promise<number[]> {
    return timesIn(this.#log, ...types);
  }

  /** @throws when a topic does not hold exactly `count` events of as many keys, each with an id of its own */
  verify(topic: string, count: number): void {
    const db = new Database(this.file, { readonly: true });
    try {
      const id = db.prepare('SELECT id FROM partitions WHERE topic = ?').pluck().get(topic) as number;
      const sql = `SELECT COUNT(*) AS events, COUNT(DISTINCT key) AS keys, COUNT(DISTINCT id) AS ids FROM events_${id}`;
      const found = db.prepare(sql).get() as Record<string, number>;
      const wrong = Object.values(found).some((value) => value !== count);
      if (wrong) throw new Error(`${topic}: found ${JSON.stringify(found)}, needed ${count} of each`);
    } finally {
      db.close();
    }
  }

  /** Bytes of an event's data on average. */
  bytesPerEvent(topic: string): number {
    const db = new Database(this.file, { readonly: true });
    try {
      const id = db.prepare('SELECT id FROM partitions WHERE topic = ?').pluck().get(topic) as number;
      return Math.round(db.prepare(`SELECT AVG(LENGTH(data)) FROM events_${id}`).pluck().get() as number);
    } finally {
      db.close();
    }
  }

  async #state(): Promise<EmitterState | undefined> {
    return (await this.#log.checkpoint(EMITTER))?.state as EmitterState | undefined;
  }
}

/** When control records of these types were written (ms since the epoch); of each the newest. */
export async function timesIn(log: EventLog, ...types: ControlRecord['type'][]): Promise<number[]> {
  const found = new Map<string, number>();
  for await (const batch of log.read({ [CONTROL_TOPIC]: [START] }, { follow: false })) {
    for (const { type, time } of batch.map(readControl)) found.set(type, Date.parse(time));
  }
  return types.map((type) => found.get(type) ?? Number.NaN);
}

export interface Look {
  /** In ms. */
  at: number;
  count: number;
  cpuSeconds: number;
}

const LOOK_MS = 5;

function lookAt({ pid }: Part): Omit<Look, 'count'> {
  return { at: performance.now(), cpuSeconds: usageOf(pid).cpuSeconds };
}

async function until(emitter: Part, holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    if (!emitter.running) throw emitter.failure();
    await sleep(LOOK_MS);
  }
}
