import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';

const PARENT = `
  const { spawnBound } = await import('./scripts/lib/spawn.ts');
  console.log(spawnBound(['sleep', '600'], { stdio: 'ignore' }).pid);
`;

/** Empty when the process has ended, also when nobody has asked after it yet. */
function nameOf(pid: string): string {
  try {
    const [, name = '', state] = /\((.*)\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return state === 'Z' ? '' : name;
  } catch {
    return '';
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const onLinux = process.platform === 'linux' ? it : it.skip;

onLinux.each(['SIGTERM', 'SIGKILL'] as const)(
  'a process ends with the one that started it, also by %s',
  async (signal) => {
    const parent = spawn(process.execPath, ['--input-type=module', '-e', PARENT], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = line.toString().trim();
    await until(() => nameOf(pid) === 'sleep');
    parent.kill(signal);
    await until(() => nameOf(pid) === '');
    expect(nameOf(pid)).toBe('');
  },
);
