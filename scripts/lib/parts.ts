import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnBound } from './spawn.ts';
import type { World } from './world.ts';

/** Of a part of `banyan up`; undefined when it is just not there. */
export function pidOfPart(world: World, part: string): number | undefined {
  const { stdout } = spawnSync('ps', ['--ppid', String(world.up.pid ?? 0), '-o', 'pid=,args='], { encoding: 'utf8' });
  const line = stdout.split('\n').find((candidate) => candidate.includes(` ${part} `));
  return line === undefined ? undefined : Number(line.trim().split(' ')[0]);
}

/** Sends a signal to a part of `banyan up`; false when it is just not there. */
export function killPart(world: World, part: string, signal: NodeJS.Signals = 'SIGKILL'): boolean {
  const pid = pidOfPart(world, part);
  if (pid !== undefined) process.kill(pid, signal);
  return pid !== undefined;
}

const PATIENCE_MS = 30_000;

/** Kills a part of `banyan up`, as soon as that has started it again if it was killed just before. */
export async function killAgain(world: World, part: string): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !killPart(world, part); await sleep(50))
    if (Date.now() > deadline) throw new Error(`${part} has not been started again`);
}

/** Parts in the order of their first kill: `emit 2, serve posts 1`. */
export function tallied(killed: readonly string[]): string {
  return [...Map.groupBy(killed, (part) => part)].map(([part, times]) => `${part} ${times.length}`).join(', ');
}

/** A command that runs until it is stopped. */
export interface Running {
  pid: number | undefined;
  /** What it has printed so far. */
  output(): string;
  signal(signal: NodeJS.Signals): void;
  ended: Promise<unknown>;
  /** Ends it, and waits until it has gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export function startBanyan(args: readonly string[], env: NodeJS.ProcessEnv): Running {
  let text = '';
  const command = [process.execPath, 'cli/main.ts', ...args];
  const child = spawnBound(command, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    pid: child.pid,
    output: () => text,
    signal: (signal) => void child.kill(signal),
    ended,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
    },
  };
}
