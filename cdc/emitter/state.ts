import type { Checkpoint, Cursor } from '../../log/index.ts';
import { START } from '../../log/index.ts';
import { cdcFault } from '../errors.ts';
import type { Position, ResumePoint, Value } from '../types.ts';

/** The emitter's id as a writer of the log. */
export const EMITTER = 'emitter';

/**
 * The emitter's resume record: everything it decides by, in the same append as the events it covers. What stands here
 * was true at `position`; the database's present is never asked instead.
 */
export interface EmitterState {
  format: 1;
  position: Position;
  /** When (ms since the epoch) the newest heartbeat in the log was written: all that committed before it is in too. */
  freshAt: number;
  resume: ResumePoint | undefined;
  /** Events already appended of the part that follows `resume`: an append holds less than some parts yield. */
  partial: { count: number; lastId: string } | undefined;
  /** The last control record that was acted upon. */
  control: Cursor;
  domains: Record<string, DomainPosition>;
  parked: Record<string, ParkedState>;
  seeds: Record<string, SeedProgress>;
}

export interface DomainPosition {
  owner: 'monolith' | 'service';
  epoch: number;
  /** Table → columns that its rows have up to here, with declared types; empty while the configuration lacks the domain. */
  captured: Record<string, readonly string[]> | undefined;
}

export interface ParkedState {
  /** The parking lot's end when the domain was parked: its changes stand behind. */
  from: Cursor;
  /** Set while the lot is being emptied: the last change that was put through the capture again. */
  drained: Cursor | undefined;
  changes: number;
  /** Changes are missing from the lot: only a new seed can cure it. */
  reseed: boolean;
}

/** How far the seed of a domain has come. */
export interface SeedProgress {
  run: string;
  chunkRows: number;
  maxLoad: { variable: string; limit: number } | null;
  paused: boolean;
  /** In the order in which they are read. */
  tables: Record<string, SeededTable>;
}

export interface SeededTable {
  /** Key of the last row in the log. */
  lastKey: Value[] | undefined;
  rows: number;
  done: boolean;
}

export function initialState(domains: readonly string[]): EmitterState {
  return {
    format: 1,
    position: '',
    freshAt: 0,
    resume: undefined,
    partial: undefined,
    control: START,
    domains: Object.fromEntries(domains.map((name) => [name, { owner: 'monolith', epoch: 0, captured: undefined }])),
    parked: {},
    seeds: {},
  };
}

/** The state in a checkpoint, with domains that are new in the config added. */
export function restoreState(checkpoint: Checkpoint | undefined, domains: readonly string[]): EmitterState {
  const initial = initialState(domains);
  if (!checkpoint) return initial;
  const state = checkpoint.state as EmitterState;
  if (state.format !== 1) {
    throw cdcFault('BNY-CDC-CHECKPOINT', { found: `format ${String(state.format)}`, needed: 'format 1' });
  }
  return { ...state, domains: { ...initial.domains, ...state.domains } };
}
