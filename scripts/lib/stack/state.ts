import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessMark } from './processes.ts';

/** What a stack's folder remembers of it. */
export interface StackState {
  /** `scripts/stack up` itself until it has started the supervisor. */
  supervisor: ProcessMark;
  ready: boolean;
  parts: StackPart[];
}

export interface StackPart extends ProcessMark {
  name: 'mariadb' | 'kafka' | 'connect';
  address: string;
}

const fileIn = (folder: string) => join(folder, 'state.json');

/** Undefined when there is no stack. */
export function readState(folder: string): StackState | undefined {
  try {
    return JSON.parse(readFileSync(fileIn(folder), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function writeState(folder: string, state: StackState): void {
  renameSync(draft(folder, state), fileIn(folder));
}

/**
 * Makes the folder this stack's own, or says that another one was faster. `down` removes the whole folder: so one that
 * holds anything else is refused.
 */
export function claim(folder: string, state: StackState): 'claimed' | 'taken' {
  mkdirSync(folder, { recursive: true });
  if (readState(folder)) return 'taken';
  const [found] = readdirSync(folder).filter((name) => !name.startsWith('state.json'));
  if (found !== undefined) throw new Error(`${folder} holds ${found}; needed: a folder that is empty or not there`);
  const written = draft(folder, state);
  try {
    linkSync(written, fileIn(folder));
    return 'claimed';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return 'taken';
    throw error;
  } finally {
    rmSync(written);
  }
}

function draft(folder: string, state: StackState): string {
  const file = `${fileIn(folder)}.${process.pid}`;
  writeFileSync(file, `${JSON.stringify(state, undefined, 2)}\n`);
  return file;
}
