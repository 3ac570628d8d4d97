import type { Position } from '../../../cdc/index.ts';
import type { Cursors } from '../../../log/index.ts';
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

/**
 * A service's own database: rows and cursors, a pure function of the log. One projector writes it; any number of
 * readers read it meanwhile.
 */
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
  /** Hash over every row of every table, in key order. */
  hash(): Promise<string>;
  close(): Promise<void>;
}
