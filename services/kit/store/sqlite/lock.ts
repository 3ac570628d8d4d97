import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';

export interface Lock {
  release(): void;
}

/** The file that stands for the right to project into a store. */
export function lockOf(storeFile: string): string {
  return `${storeFile}.lock`;
}

/** A lock that the system lets go of however its holder ends: an exclusive transaction in a file of its own. Undefined when another has it. */
export function takeLock(file: string): Lock | undefined {
  mkdirSync(dirname(file), { recursive: true });
  const db = new Database(file, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
    return { release: () => db.close() };
  } catch (error) {
    db.close();
    if (String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) return undefined;
    throw error;
  }
}
