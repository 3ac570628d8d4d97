import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lives, markOf, type ProcessMark } from './processes.ts';
import { down, health, up } from './stack.ts';
import { claim } from './state.ts';

let parent: string;
let folder: string;
let children: ChildProcess[];
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'banyan-stack-test-'));
  folder = join(parent, 'stack');
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(parent, { recursive: true });
});

function stranger(): ChildProcess & { pid: number } {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  children.push(child);
  return child as ChildProcess & { pid: number };
}

/** As the supervisor is: the leader of a process group, with a child that nobody has written down. */
async function leader(): Promise<{ pid: number; unwritten: number }> {
  const child = spawn('sh', ['-c', 'sleep 1000 & echo $!; wait'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  const unwritten = await new Promise<number>((resolve) => child.stdout.once('data', (line) => resolve(Number(line))));
  return { pid: child.pid ?? 0, unwritten };
}

const remember = (supervisor: ProcessMark, part: ProcessMark) =>
  claim(folder, { supervisor, ready: true, parts: [{ name: 'kafka', address: '', ...part }] });

const runs = (child: ChildProcess) => child.exitCode === null && child.signalCode === null;

describe('the end of a stack', () => {
  it('comes for no process that only has the number of a part', async () => {
    const [one, other] = [stranger(), stranger()];
    const earlier = (pid: number) => ({ pid, started: String(Number(markOf(pid).started) - 1) });
    remember(earlier(one.pid), earlier(other.pid));
    expect(health(folder).map(({ live }) => live)).toEqual([false, false]);
    expect(await down(folder)).toBe(true);
    await sleep(200);
    expect([runs(one), runs(other)]).toEqual([true, true]);
    expect(existsSync(folder)).toBe(false);
  });

  it('comes for its own processes, and for what its supervisor was just starting', async () => {
    const [supervisor, part] = [await leader(), stranger()];
    const unwritten = markOf(supervisor.unwritten);
    remember(markOf(supervisor.pid), markOf(part.pid));
    expect(await down(folder)).toBe(true);
    await sleep(50);
    expect([runs(part), lives(unwritten)]).toEqual([false, false]);
  });

  it('comes after a crash for the parts that are left', async () => {
    const [supervisor, part] = [stranger(), stranger()];
    remember(markOf(supervisor.pid), markOf(part.pid));
    supervisor.kill('SIGKILL');
    expect(await down(folder)).toBe(true);
    await sleep(50);
    expect(runs(part)).toBe(false);
  });
});

describe('the start of a stack', () => {
  it('takes no folder that holds something else', async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'thesis.txt'), 'years');
    await expect(up(folder)).rejects.toThrow('holds thesis.txt; needed: a folder that is empty or not there');
    expect(await down(folder)).toBe(false);
    expect(existsSync(join(folder, 'thesis.txt'))).toBe(true);
  });

  it('leaves a folder to whoever was first', () => {
    const state = { supervisor: markOf(process.pid), ready: false, parts: [] };
    expect([claim(folder, state), claim(folder, state)]).toEqual(['claimed', 'taken']);
  });
});
