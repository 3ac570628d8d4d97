import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endProcess, lives, markOf, memoryMb } from './processes.ts';
import { claim, readState, type StackState, writeState } from './state.ts';

const processesOf = ({ supervisor, parts }: StackState) => [
  { name: 'supervisor', address: '', ...supervisor },
  ...parts,
];

const DEADLINE_MS = 180_000;

/** Starts a stack, or finds the one that runs. What a crash has left is removed first. */
export async function up(folder: string): Promise<{ state: StackState; found: 'started' | 'running' }> {
  const before = readState(folder);
  if (before && !processesOf(before).every(lives)) await down(folder);
  const claimed = claim(folder, { supervisor: markOf(process.pid), ready: false, parts: [] });
  if (claimed === 'taken') return { state: await ready(folder), found: 'running' };
  const log = openSync(join(folder, 'supervisor.log'), 'a');
  const args = ['scripts/stack.ts', 'supervise', '--folder', folder];
  // Detached: leader of a process group of its own, out of reach of a Ctrl-C in this terminal.
  const supervisor = spawn(process.execPath, args, { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  writeState(folder, { supervisor: markOf(supervisor.pid ?? 0), ready: false, parts: [] });
  const ended = new Promise<'ended'>((resolve) => supervisor.once('exit', () => resolve('ended')));
  const outcome = await Promise.race([ready(folder), ended]).catch(() => 'ended' as const);
  if (outcome === 'ended') {
    const ours = readState(folder)?.supervisor.pid === supervisor.pid;
    const said = ours ? readFileSync(join(folder, 'supervisor.log'), 'utf8') : 'It was ended meanwhile.';
    if (ours) await down(folder);
    throw new Error(`The stack did not start:\n${said}`);
  }
  supervisor.unref();
  return { state: outcome, found: 'started' };
}

async function ready(folder: string): Promise<StackState> {
  for (const deadline = Date.now() + DEADLINE_MS; Date.now() < deadline; await sleep(100)) {
    const state = readState(folder);
    if (!state || !lives(state.supervisor)) break;
    if (state.ready) return state;
  }
  throw new Error('The stack did not become ready');
}

/** Ends what the folder's stack has started and nothing else, then removes the folder. False when there is no stack. */
export async function down(folder: string): Promise<boolean> {
  const state = readState(folder);
  if (!state) return false;
  // First the supervisor, with whatever it is just starting; then what it had started by then. The data goes with the
  // folder, so no part needs time to put it in order.
  if (state.supervisor.pid !== process.pid) await endProcess(state.supervisor);
  const { parts } = readState(folder) ?? state;
  await Promise.all(parts.map(endProcess));
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  return true;
}

export interface Health {
  name: string;
  live: boolean;
  pid: number;
  memoryMb: number;
  address: string;
}

/** Empty when there is no stack. */
export function health(folder: string): Health[] {
  const state = readState(folder);
  if (!state) return [];
  return processesOf(state).map((part) => {
    const live = lives(part);
    return { name: part.name, live, pid: part.pid, memoryMb: live ? memoryMb(part) : 0, address: part.address };
  });
}
