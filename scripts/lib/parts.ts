import { spawnSync } from 'node:child_process';
import type { World } from './world.ts';

/** Kills a part of `banyan up` with SIGKILL; false when it is just not there. */
export function killPart(world: World, part: string): boolean {
  const { stdout } = spawnSync('ps', ['--ppid', String(world.up.pid ?? 0), '-o', 'pid=,args='], { encoding: 'utf8' });
  const line = stdout.split('\n').find((candidate) => candidate.includes(` ${part} `));
  if (line === undefined) return false;
  process.kill(Number(line.trim().split(' ')[0]), 'SIGKILL');
  return true;
}
