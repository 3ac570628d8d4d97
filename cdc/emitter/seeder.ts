import type { Change, Row } from '../types.ts';
import type { SeedProgress } from './state.ts';

/**
 * What the emitter needs of the ETL. Chunks are read beside the stream; only their place in it is the emitter's: a
 * chunk comes out when its high watermark passes, without the rows that changed since its low one.
 */
export interface Seeder {
  /** Begins to read `domain`, or goes on where `progress` stands. */
  start(domain: string, progress: SeedProgress): void;
  /** Takes over changed settings of a domain that is being read. */
  tune(domain: string, progress: SeedProgress): void;
  /** Forgets a domain: its open windows and what was read ahead. */
  stop(domain: string): void;
  /** Told of every change of a domain that is being read, in stream order. `emitted`: it has become an event. */
  onChange(change: Change, emitted: boolean): void;
  /** The definition of a table may have changed: chunks read before are worth nothing. */
  onDefinitionChange(table: string): void;
  /** A change of the watermark table. Gives the chunk that this closes, if it is one of this seeder's. */
  onWatermark(row: Row): SeedChunk | undefined;
}

export interface SeedChunk {
  domain: string;
  run: string;
  table: string;
  /** In key order, kind `seed`. */
  rows: Change[];
  /** Key up to which the table has been read; the rows themselves may be fewer. */
  upTo: Change['key'] | undefined;
  tableDone: boolean;
  /** Whether it is the last table of its domain. */
  lastTable: boolean;
}
