import type { Knex } from 'knex';
import type { Position } from '../../../cdc/index.ts';
import type { Cursors } from '../../../log/index.ts';
import type { Projection } from '../projection.ts';
import type { Fold } from './fold.ts';

/** As of when a store is complete. */
export interface Applied {
  /** Every change of the monolith up to here that concerns this store is in it. */
  position: Position;
  /** The same in time: ms since the epoch. */
  freshAt: number;
}

export const NOTHING_APPLIED: Applied = { position: '', freshAt: 0 };

/** A row that two stores of the same projection disagree about. */
export interface Difference {
  table: string;
  key: unknown[];
  kind: 'missing' | 'extra' | 'different';
  /** Columns that differ. */
  columns: string[];
}

/** What the stores of one domain have in common. */
export interface StoreOrigin {
  projection: Projection;
  /** The log that the stores are built from. */
  logIdentity: string;
  /** Partitions of each topic. */
  partitions: Readonly<Record<string, number>>;
}

/**
 * The stores of one domain, by name: each a database of its own with rows and cursors, a pure function of the log. One
 * process at a time holds the right to write one; any number read it meanwhile.
 */
export interface Stores {
  /** The right to write a store, whether or not that is there; undefined while another has it. */
  lease(name: string): Promise<Lease | undefined>;
  /** How far a store is that another keeps up, read beside it; undefined while that is still making it. */
  peek(name: string): Promise<Applied | undefined>;
  reader(name: string): StoreReader;
  /**
   * A store as it stands at this moment, however it is written meanwhile. `by` names who wants it: what a killed one of
   * that name left behind goes.
   */
  freeze(name: string, by: string): Promise<Frozen>;
  /** Removes a store that nobody will write any more. */
  drop(name: string): Promise<void>;
  /** What an operator does to remove a store. */
  removal(name: string): string;
  /** What an error of this adapter means for a store; any other as it is. */
  faultOf(error: unknown): unknown;
}

/** Ends with its holder, however that ends. */
export interface Lease {
  /** Aborts when the right is lost: nothing is written any more, and whoever wants to go on takes a new one. */
  readonly lost: AbortSignal;
  /** Opens the store, making it when it is not there. @throws BNY-SERVICE-STORE-LOG, BNY-SERVICE-STORE-SCHEMA */
  open(options?: OpenOptions): Promise<Store>;
  /** Removes the store; the right to write it stays. */
  clear(): Promise<void>;
  release(): Promise<void>;
}

export interface OpenOptions {
  /** Leave the secondary indexes to `createIndexes`: a rebuild is faster without them. */
  indexesLater?: boolean;
}

/** A store as its one writer has it. */
export interface Store {
  cursors(): Promise<Cursors>;
  applied(): Promise<Applied>;
  /**
   * Rows and cursors in one transaction. @throws BNY-SERVICE-STORE-TAKEN when the cursors are not those in `before`:
   * another projector is at work
   */
  commit(fold: Fold, before: Cursors, after: Cursors): Promise<void>;
  setApplied(applied: Applied): Promise<void>;
  /** Makes the secondary indexes, if they were left out at the start. */
  createIndexes(): Promise<void>;
  /** Over every row of every table, in key order: the same for the same rows, whichever adapter holds them. */
  hash(): Promise<string>;
  close(): Promise<void>;
}

export interface Frozen extends Pick<Store, 'cursors' | 'applied' | 'hash' | 'close'> {
  /** The first rows that this and a store of the same projection disagree about, as that store has them. */
  differences(other: string, limit?: number): Promise<Difference[]>;
}

/** A store as its queries have it. */
export interface StoreReader {
  /** Calls `work` with the store at one moment, read-only, and with how far it is then. */
  read<T>(work: (db: Knex, applied: Applied) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
