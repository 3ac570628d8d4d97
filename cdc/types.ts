/** A stored value in its canonical JSON form: made by the readers in `values/`. */
export type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value };

export type Row = Record<string, Value>;

/**
 * Where a change stands in the source's order. Two positions of one source compare as plain strings; nothing else
 * about them means anything outside the source.
 */
export type Position = string;

/** One row change in the monolith's database. */
export interface Change {
  /** Its bare name; `schema.name` of a table outside the monolith's schema (Banyan's own). */
  table: string;
  /** `seed`: a row read by the ETL. An UPDATE of the key is a linked `delete` and `insert`. */
  kind: 'insert' | 'update' | 'delete' | 'seed';
  /** Values of the table's key columns, in the key's order. */
  key: Value[];
  /** The whole row before; `update` and `delete` only. */
  before?: Row;
  /** The whole row after; not of a `delete`. */
  after?: Row;
  /** The key that this row had before (of an `insert`) or has from now on (of a `delete`), when its key was changed. */
  linkedKey?: Value[];
}

/** Something in the stream that concerns whole tables and not rows. Stands in its place among the transactions. */
export interface Disturbance {
  tables: string[];
  /**
   * `ddl`: the table's definition may have changed, its rows have not.
   * `columns`: this transaction's rows do not hold what the capture declares; its changes carry what could be read.
   * The others changed rows in ways that no change here expresses: `truncate` (also DROP, CREATE OR REPLACE, a
   * partition dropped, another table renamed to this name), `rewrite` (a captured column was given another type, or
   * added to rows that are there), `statement` (DML logged as text, rows without their key or not logged in full),
   * `rollback` (of changes that earlier parts delivered), `xa` (prepared, or completed, apart from its rows).
   */
  kind: 'ddl' | 'columns' | 'truncate' | 'rewrite' | 'statement' | 'rollback' | 'xa';
  /** The statement without its literals, shortened; of `columns`, what is amiss. Never a stored value. */
  statement: string;
}

/**
 * A committed transaction, or one part of a very large one. One without changes and disturbances says that everything
 * up to its position has been delivered; a batch has at most one of these, at its end.
 */
export interface Transaction {
  position: Position;
  gtid: string;
  /** ISO 8601, UTC. */
  committedAt: string;
  changes: Change[];
  disturbances: Disturbance[];
  /** Counts from 0; the cuts are the same on every reading. */
  part: number;
  /** True on the last part: only then may a checkpoint claim the whole transaction. */
  last: boolean;
  /** What `Source.read` needs to go on after this part. Opaque, JSON. */
  resume: ResumePoint;
}

/** JSON that a checkpoint keeps: where to go on, and a fingerprint of the transaction there. */
export type ResumePoint = Readonly<Record<string, Value>>;

/**
 * Delivers the changes of the declared tables as whole transactions in commit order.
 *
 * Duties: every committed change of a declared table exactly once after `from`; canonical values; same parts on every
 * reading; bounded memory (it stops reading when its consumer does); what it cannot understand it raises, it never
 * skips. Raises BNY-CDC-OTHER-SERVER, BNY-CDC-PURGED, BNY-CDC-DIVERGED when `from` cannot be resumed, and
 * BNY-CDC-UNREACHABLE (retryable) when the connection is lost: read again from the last `resume`.
 */
export interface Source {
  /** Settings that the source needs, checked all at once; empty when all is well. */
  check(): Promise<Finding[]>;
  /**
   * Yields what has arrived, in batches, and waits for more until `signal` aborts. `from` undefined: from now on, and
   * the first transaction is an empty one that tells where that is.
   */
  read(from: ResumePoint | undefined, signal: AbortSignal): AsyncIterable<Transaction[]>;
  /** A position not before that of any transaction committed by now; a reader that has read all comes to stand at it. */
  head(): Promise<Position>;
  close(): Promise<void>;
}

/** One result of a check: what was found, what is needed, and the cure, SQL to run where there is any. */
export interface Finding {
  check: string;
  level: 'error' | 'warning';
  /** The bare name of the table that it concerns; none: the whole server. */
  table?: string;
  found: string;
  needed: string;
  cure: string;
  /** While this stands, rows of the table change without a trace in the stream. */
  unseen?: true;
}

/** How a table is captured; from the domain's `domain.ts`. */
export interface CapturedTable {
  /** The table's primary key. */
  key: readonly string[];
  /** Every column the capture reads. A column missing here that appears in the table is passed over. */
  columns: readonly string[];
  /** Maintained by the monolith from other tables: a change of these alone is no event. Left out of rows. */
  derived?: readonly string[];
  /** Never leave the reading process. Left out of rows. */
  excluded?: readonly string[];
  /** What the binlog cannot tell: JSON kept as text by MariaDB, and its UUID, INET4 and INET6 columns. */
  types?: Readonly<Record<string, 'json' | 'uuid' | 'inet4' | 'inet6'>>;
}

/** Table name → how it is captured. */
export type CapturedTables = Readonly<Record<string, CapturedTable>>;
