import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';

export interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  system: string;
  node: string;
  mariadb: string;
  nginx: string;
  wrk: string;
}

export function machine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    node: process.version,
    mariadb: versionOf('mariadbd', ['--version'], /Ver (\S+)/),
    nginx: versionOf('nginx', ['-v'], /nginx\/(\S+)/),
    wrk: versionOf('wrk', ['-v'], /wrk (?:debian\/)?(\S+)/),
  };
}

/** `none` when the program is not there. */
function versionOf(program: string, args: string[], pattern: RegExp): string {
  const { stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  return error ? 'none' : (pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown');
}

export function isInstalled(program: string): boolean {
  return !spawnSync(program, ['--version'], { stdio: 'ignore' }).error;
}

/** The load average of the last minute: how much else went on. */
export function load(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}

export interface Usage {
  cpuSeconds: number;
  peakRssMb: number;
}

/** What another process has used so far. Only Linux tells; elsewhere it is not a number. */
export function usageOf(pid: number): Usage {
  if (process.platform !== 'linux') return { cpuSeconds: Number.NaN, peakRssMb: Number.NaN };
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Behind the name, which stands in brackets and may hold anything.
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  const peak = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { cpuSeconds: ((user ?? 0) + (system ?? 0)) / TICKS_PER_SECOND, peakRssMb: Number(peak) / 1024 };
}

/** USER_HZ: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
