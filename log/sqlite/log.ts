import { rename } from 'node:fs/promises';
import type Database from 'better-sqlite3';
import { checkAppend, placeOf, unknownTopic } from '../append.ts';
import { Doorbell } from '../doorbell.ts';
import { logFault } from '../errors.ts';
import type {
  Checkpoint,
  Cursors,
  Ends,
  EventLog,
  LoggedEvent,
  LogWriter,
  NewEvent,
  ReadOptions,
  Topics,
} from '../types.ts';
import { readFrom } from './read.ts';
import { connect, guarded, orClosed, type Partition, prepare } from './schema.ts';
import { ThreadWriter } from './thread-writer.ts';

export interface SqliteLogOptions {
  file: string;
  topics: Topics;
  /** Shared by everything in this process that uses the log. */
  doorbell?: Doorbell;
  /** How often a reader looks for appends that no doorbell announced. Default 10 ms. */
  pollIntervalMs?: number;
  /** Run each writer's appends in a thread of its own, beside whoever makes the events. */
  writerThread?: boolean;
}

/** The embedded log: one SQLite file, appended to and read by any number of processes on one machine. */
export function openSqliteLog(options: SqliteLogOptions): SqliteLog {
  return new SqliteLog(options);
}

interface WriterRow {
  generation: number;
  number: number;
  state: string | null;
  ends: string;
  sequences: string;
}

type NextAppend = Omit<WriterRow, 'state'>;

export class SqliteLog implements EventLog {
  readonly doorbell: Doorbell;
  readonly pollIntervalMs: number;
  readonly #topics: Topics;
  readonly #file: string;
  readonly #db: Database.Database;
  readonly #partitions: Map<string, Partition[]>;
  readonly #inserts = new Map<number, Insert>();
  readonly #writerThread: boolean;
  readonly #nextAppend: Database.Statement<[string], NextAppend>;
  readonly #checkpoint: Database.Statement<[string, string, string, string]>;

  constructor({
    file,
    topics,
    doorbell = new Doorbell(),
    pollIntervalMs = 10,
    writerThread = false,
  }: SqliteLogOptions) {
    this.#file = file;
    this.#topics = topics;
    this.doorbell = doorbell;
    this.pollIntervalMs = pollIntervalMs;
    this.#db = connect(file);
    this.#partitions = orClosed(this.#db, (db) => prepare(db, topics));
    this.#writerThread = writerThread;
    this.#nextAppend = this.#db.prepare('SELECT generation, number, ends, sequences FROM writers WHERE id = ?');
    this.#checkpoint = this.#db.prepare(
      'UPDATE writers SET number = number + 1, state = ?, ends = ?, sequences = ? WHERE id = ?',
    );
  }

  async identity(): Promise<string> {
    return guarded(() => this.#db.prepare('SELECT identity FROM meta').pluck().get() as string);
  }

  async writer(id: string): Promise<LogWriter> {
    if (this.#writerThread) return ThreadWriter.open({ id, file: this.#file, topics: this.#topics }, this.doorbell);
    const takeOver = this.#db.transaction(() => {
      this.#db
        .prepare(
          `INSERT INTO writers VALUES (?, 1, 0, NULL, '{}', '{}')
           ON CONFLICT (id) DO UPDATE SET generation = generation + 1`,
        )
        .run(id);
      return this.#writerRow(id) as WriterRow;
    });
    const row = guarded(() => takeOver.immediate());
    return new SqliteWriter(id, row, (writer, events, state) => this.#appendAs(writer, events, state));
  }

  async post(events: readonly NewEvent[]): Promise<void> {
    checkAppend(events);
    guarded(() => this.#db.transaction(() => this.#insert(events, {}, {})).immediate());
    this.doorbell.ring();
  }

  read(from: Cursors, options: ReadOptions = {}): AsyncIterable<LoggedEvent[]> {
    const partitions = Object.keys(from).flatMap((topic) => this.#partitionsOf(topic));
    const compacted = new Set(Object.keys(from).filter((topic) => this.#topics[topic]?.compacted));
    return readFrom({ file: this.#file, partitions, compacted, from, log: this, options });
  }

  async ends(topics: readonly string[]): Promise<Ends> {
    const end = (p: Partition) =>
      (this.#db.prepare(`SELECT max(offset) FROM events_${p.id}`).pluck().get() as number | null) ?? -1;
    return guarded(() => Object.fromEntries(topics.map((topic) => [topic, this.#partitionsOf(topic).map(end)])));
  }

  async checkpoint(writer: string): Promise<Checkpoint | undefined> {
    const row = guarded(() => this.#writerRow(writer));
    return row && toCheckpoint(row);
  }

  /**
   * Copies the whole log, as it stands at one moment, to a new file. Not SQLite's backup API: that begins again
   * whenever another process appends.
   */
  async backup(to: string): Promise<void> {
    guarded(() => this.#db.prepare('VACUUM INTO ?').run(`${to}.part`));
    await rename(`${to}.part`, to);
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  #writerRow(id: string): WriterRow | undefined {
    return this.#db.prepare<[string], WriterRow>('SELECT * FROM writers WHERE id = ?').get(id);
  }

  #partitionsOf(topic: string): Partition[] {
    const partitions = this.#partitions.get(topic);
    if (!partitions) throw unknownTopic(topic);
    return partitions;
  }

  #appendAs(writer: SqliteWriter, events: readonly NewEvent[], state: unknown): Checkpoint {
    checkAppend(events);
    const append = this.#db.transaction(() => {
      const row = this.#nextAppend.get(writer.id);
      if (row?.generation !== writer.generation) {
        throw logFault('BNY-LOG-FENCED', {
          found: `generation ${writer.generation} of ${writer.id}, now ${row?.generation}`,
        });
      }
      if (row.number !== (writer.checkpoint?.number ?? 0)) {
        throw logFault('BNY-LOG-CONFLICT', { found: `${row.number}`, needed: `${writer.checkpoint?.number ?? 0}` });
      }
      const ends = JSON.parse(row.ends) as Ends;
      const sequences = JSON.parse(row.sequences) as Record<string, number>;
      this.#insert(events, sequences, ends);
      this.#checkpoint.run(JSON.stringify(state), JSON.stringify(ends), JSON.stringify(sequences), writer.id);
      return { number: row.number + 1, generation: row.generation, state, ends };
    });
    const checkpoint = guarded(() => append.immediate());
    this.doorbell.ring();
    return checkpoint;
  }

  /** Inserts within the caller's transaction, moving `sequences` and `ends` on. */
  #insert(events: readonly NewEvent[], sequences: Record<string, number>, ends: Ends): void {
    const nextOffsets = new Map<number, number>();
    for (const event of events) {
      const place = placeOf(event, this.#topics);
      const partitions = this.#partitionsOf(event.topic);
      const { id } = partitions[place] as Partition;
      const insert = this.#insertInto(id, this.#topics[event.topic]?.compacted ?? false);
      const offset = nextOffsets.get(id) ?? insert.nextOffset();
      const sequence = sequences[event.topic] ?? 0;
      insert.run(event, offset, sequence);
      nextOffsets.set(id, offset + 1);
      sequences[event.topic] = sequence + 1;
      ends[event.topic] ??= partitions.map(() => -1);
      (ends[event.topic] as number[])[place] = offset;
    }
  }

  #insertInto(id: number, compacted: boolean): Insert {
    const known = this.#inserts.get(id);
    if (known) return known;
    const next = this.#db.prepare(`SELECT coalesce(max(offset), -1) + 1 FROM events_${id}`).pluck();
    const forget = compacted ? this.#db.prepare(`DELETE FROM events_${id} WHERE key = ?`) : undefined;
    const insert = this.#db.prepare(`INSERT INTO events_${id} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    const result: Insert = {
      nextOffset: () => next.get() as number,
      run(e, offset, sequence) {
        forget?.run(e.key);
        const { key, type, version, time, origin, epoch, position = null, seed = null, data } = e;
        insert.run(offset, key, e.id, type, version, time, origin, epoch, position, seed, sequence, data);
      },
    };
    this.#inserts.set(id, result);
    return result;
  }
}

interface Insert {
  nextOffset(): number;
  run(event: NewEvent, offset: number, sequence: number): void;
}

class SqliteWriter implements LogWriter {
  readonly id: string;
  readonly generation: number;
  checkpoint: Checkpoint | undefined;
  readonly #append: Append;
  #failure: { error: unknown } | undefined;

  constructor(id: string, row: WriterRow, append: Append) {
    this.id = id;
    this.generation = row.generation;
    this.checkpoint = toCheckpoint(row);
    this.#append = append;
  }

  async append(events: readonly NewEvent[], state: unknown): Promise<Checkpoint> {
    if (this.#failure) throw this.#failure.error;
    try {
      this.checkpoint = this.#append(this, events, state);
      return this.checkpoint;
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  async close(): Promise<void> {}
}

type Append = (writer: SqliteWriter, events: readonly NewEvent[], state: unknown) => Checkpoint;

function toCheckpoint(row: WriterRow): Checkpoint | undefined {
  if (row.state === null) return undefined;
  return {
    number: row.number,
    generation: row.generation,
    state: JSON.parse(row.state),
    ends: JSON.parse(row.ends) as Ends,
  };
}
