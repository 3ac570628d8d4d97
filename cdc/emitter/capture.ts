import { hash } from 'node:crypto';
import type { CapturedTables, Change, Value } from '../types.ts';

/** What a capture makes of a change: a fact about one aggregate, with the whole row in its data. */
export interface DomainEvent {
  type: string;
  /** The aggregate's id. */
  key: string | number;
  data: object;
}

/** Pure: one change to the events it means. No joins, no clock, no I/O. */
export type Capture = (change: Change) => DomainEvent | readonly DomainEvent[] | undefined;

/** What the emitter needs to know of a domain. */
export interface CapturedDomain {
  name: string;
  tables: CapturedTables;
  /** Of its topic; default 1. */
  partitions?: number;
  /** One capture for each table. */
  capture: Readonly<Record<string, Capture>>;
  /** Checks an event against its schema. @throws what the schema finds */
  encode(event: DomainEvent): { version: number; data: string };
}

/**
 * The id of an event: the same at every reading of the same change. Within a transaction a row may change more than
 * once, hence `nth`; of a very large transaction each part counts anew, so that nothing grows with its size.
 */
export function changeId(
  gtid: string,
  part: number,
  table: string,
  key: readonly Value[],
  nth: number,
  n: number,
): string {
  return digest(`${gtid}/${part}/${table}/${JSON.stringify(key)}/${nth}/${n}`);
}

export function seedId(run: string, table: string, key: readonly Value[], n: number): string {
  return digest(`seed/${run}/${table}/${JSON.stringify(key)}/${n}`);
}

function digest(text: string): string {
  return hash('sha1', text, 'base64url');
}

/** Columns of an update whose value changed; none for any other change. */
export function changedColumns({ before, after }: Change): string[] {
  if (!before || !after) return [];
  return Object.keys(after).filter((column) => !isSame(before[column], after[column]));
}

/** Whether an update left every captured column as it was. */
export function isUnchanged({ kind, before, after }: Change): boolean {
  if (kind !== 'update' || !before || !after) return false;
  for (const column in after) if (!isSame(before[column], after[column])) return false;
  return true;
}

function isSame(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  return typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b);
}
