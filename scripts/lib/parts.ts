import { spawnSync } from 'node:child_process';
import { spawnBound } from './spawn.ts';
import type { World } from './world.ts';

/** Sends a signal to a part of `banyan up`; false when it is just not there. */
export function killPart(world: World, part: string, signal: NodeJS.Signals = 'SIGKILL'): boolean {
  const { stdout } = spawnSync('ps', ['--ppid', String(world.up.pid ?? 0), '-o', 'pid=,args='], { encoding: 'utf8' });
  const line = stdout.split('\n').find((candidate) => candidate.includes(` ${part} `));
  if (line === undefined) return false;
  process.kill(Number(line.trim().split(' ')[0]), signal);
  return true;
}

/** A command that runs until it is stopped. */
export interface Running {
  pid: number | undefined;
  /** What it has printed so far. */
  output(): string;
  signal(signal: NodeJS.Signals): void;
  /** Ends it, and waits until it has gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export function startBanyan(args: readonly string[], env: NodeJS.ProcessEnv): Running {
  let text = '';
  const command = [process.execPath, 'cli/main.ts', ...args];
  const child = spawnBound(command, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const gone = new Promise((resolve) => child.once('exit', resolve));
  return {
    pid: child.pid,
    output: () => text,
    signal: (signal) => void child.kill(signal),
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await gone;
    },
  };
}
