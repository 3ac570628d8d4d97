/**
 * The event log: durable, partitioned, append-only, the single source of truth.
 *
 * An adapter owes its users what the contract suite in `contract.ts` tests: appends are atomic and durable when they
 * return; a newer writer fences an older one; the checkpoint stands in the same atomic append as the events it covers;
 * within a partition readers see committed events in offset order, without gaps and without repeats; a topic with several
 * partitions has one writer, and is read in its order.
 */
export interface EventLog {
  /** Changes when a log is deleted and made anew. */
  identity(): Promise<string>;

  /**
   * Takes over the right to append as `id`. From its return on, every older writer of that id is refused. `signal` ends
   * the wait for a log that does not answer.
   */
  writer(id: string, signal?: AbortSignal): Promise<LogWriter>;

  /** Appends control records: atomic and durable like a writer's append, but without fencing or checkpoint. */
  post(events: readonly NewEvent[]): Promise<void>;

  /**
   * Committed events after `from`, of each topic in the order in which they were appended; between topics there is no
   * order. Every topic in `from` is read. Follows the log until `signal` aborts. While following it yields an empty batch whenever it was
   * woken and found nothing new, so that a reader can look at the newest checkpoint.
   *
   * @throws BNY-LOG-ANOTHER when the event at a cursor's offset is not the one that the cursor names.
   */
  read(from: Cursors, options?: ReadOptions): AsyncIterable<LoggedEvent[]>;

  /** The offset of the last committed event of each partition (-1: none): a caught-up reader's cursor reaches it. */
  ends(topics: readonly string[]): Promise<Ends>;

  /** The newest checkpoint of a writer, for any reader. */
  checkpoint(writer: string): Promise<Checkpoint | undefined>;

  close(): Promise<void>;
}

export interface LogWriter {
  readonly id: string;
  readonly generation: number;
  /** The newest checkpoint: the one found when the writer was opened, then that of the last append. */
  readonly checkpoint: Checkpoint | undefined;

  /**
   * Appends all events and the checkpoint, or nothing. At most {@link MAX_APPEND_EVENTS} events and
   * {@link MAX_APPEND_BYTES} of data. May be called while others are under way: they are carried out in order, and
   * after one that fails all later ones are refused with its error. Its outcome is unknown: open the writer again and
   * read its checkpoint.
   *
   * @throws BNY-LOG-FENCED, BNY-LOG-CONFLICT, BNY-LOG-TOO-LARGE
   */
  append(events: readonly NewEvent[], state: unknown): Promise<Checkpoint>;

  /** Gives back what the writer holds; an append under way may still be carried out. Others are not fenced by it. */
  close(): Promise<void>;
}

export const MAX_APPEND_EVENTS = 1000;
/** Of data as JavaScript counts its length: in UTF-8 it is three times as much at most. */
export const MAX_APPEND_BYTES = 1_000_000;
/** Of data in a batch, counted likewise; the last event may reach beyond it. */
export const MAX_BATCH_BYTES = 8_000_000;

/** A domain event on its way into the log. The attributes are those of CloudEvents 1.0 and Banyan's extensions. */
export interface NewEvent {
  topic: string;
  /** The aggregate's id: places the event in a partition; in a compacted topic the newest event of a key stays. */
  key: string;
  /** Deterministic and unique. */
  id: string;
  /** A fact in the past tense: `OrderPlaced`. */
  type: string;
  /** Version of the data's schema. */
  version: number;
  /** ISO 8601 in UTC: when the change was committed, or the record was written. */
  time: string;
  /** Data as JSON text. */
  data: string;
  /** Who made it: `monolith`, `service`, or for control records the acting person or process. */
  origin: string;
  /** The domain's epoch at this event. */
  epoch: number;
  /** Where the change stands in the source's order. */
  position?: string;
  /** The run of the ETL that read this row. */
  seed?: string;
}

export interface LoggedEvent extends NewEvent {
  partition: number;
  offset: number;
  /** Counts a writer's events within the topic; restores the writer's order over several partitions. */
  sequence: number;
}

/** The last event that a reader has applied in one partition. */
export interface Cursor {
  /** -1: none yet. */
  offset: number;
  /** Id of the event there; empty: unknown, and not checked. */
  id: string;
}

/** Topic → one cursor for each partition. */
export type Cursors = Record<string, Cursor[]>;

/** Topic → offset of the last event of each partition. */
export type Ends = Record<string, number[]>;

export interface Checkpoint {
  /** Counts the appends of this writer id over all generations. */
  number: number;
  generation: number;
  /** What the writer handed in with the append: its resume record. */
  state: unknown;
  /** The end of every partition that this writer id has ever appended to, after the append. */
  ends: Ends;
}

export interface ReadOptions {
  /** Default true; false: end after what stood in the log at the call. */
  follow?: boolean;
  /** End after these offsets, whatever `follow` says. */
  until?: Ends;
  /** Events in a batch at most; default 1,000. A batch ends sooner with the event that fills {@link MAX_BATCH_BYTES}. */
  limit?: number;
  signal?: AbortSignal;
}

/** Topics are made when a log is opened; a topic's number of partitions is fixed for life. */
export interface TopicOptions {
  /** Default 1. */
  partitions?: number;
  /** Keeps only the newest event of each key. */
  compacted?: boolean;
}

export type Topics = Record<string, TopicOptions>;

export const START: Cursor = { offset: -1, id: '' };
