import { spawn, spawnSync } from 'node:child_process';
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

/** A command that runs until it is stopped, with what it has printed so far. */
export function startBanyan(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): { output(): string; stop(): Promise<void> } {
  let text = '';
  const child = spawn(process.execPath, ['cli/main.ts', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return {
    output: () => text,
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    },
  };
}
