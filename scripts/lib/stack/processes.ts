import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process. Its start is part of its name: the number alone is another process's some day. */
export interface ProcessMark {
  pid: number;
  started: string;
}

export function markOf(pid: number): ProcessMark {
  const started = startOf(pid);
  if (started === undefined) throw new Error(`process ${pid} has ended`);
  return { pid, started };
}

export function lives({ pid, started }: ProcessMark): boolean {
  return startOf(pid) === started;
}

/** Resident memory. */
export function memoryMb({ pid }: ProcessMark): number {
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
  return Math.round(Number(stdout) / 1024);
}

/** Ends it at once, and all of its process group where it leads one; returns when it is gone. */
export async function endProcess(mark: ProcessMark): Promise<void> {
  if (lives(mark) && !killed(-mark.pid)) killed(mark.pid);
  for (const deadline = Date.now() + 10_000; lives(mark); await sleep(20))
    if (Date.now() > deadline) throw new Error(`process ${mark.pid} does not end`);
}

/** False when there is no such process or group. */
function killed(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Undefined for one that is not there, or only its parent's to bury. */
function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') {
    const { stdout } = spawnSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
    const [state, ...started] = stdout.trim().split(/\s+/);
    return !state || state.startsWith('Z') ? undefined : started.join(' ');
  }
  try {
    // The command's name, in brackets, may hold brackets and spaces; the state follows, and the start is 19 fields on.
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return state === 'Z' || state === 'X' ? undefined : fields[18];
  } catch {
    return undefined;
  }
}
