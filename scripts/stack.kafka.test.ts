import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Kafka as Client, logLevel } from 'kafkajs';
import mysql from 'mysql2/promise';
import type { Health } from './lib/stack/stack.ts';

const parent = mkdtempSync(join(tmpdir(), 'banyan-stack-test-'));
const folder = join(parent, 'stack');

function stack(command: string): Promise<{ code: number; json: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const args = ['scripts/stack.ts', command, '--folder', folder, '--json'];
    execFile(process.execPath, args, { timeout: 200_000 }, (error, stdout, stderr) => {
      if (stderr) reject(new Error(stderr));
      else resolve({ code: Number(error?.code ?? 0), json: JSON.parse(stdout) });
    });
  });
}

async function status(): Promise<Record<string, Health>> {
  const { json } = await stack('status');
  return Object.fromEntries((json['parts'] as Health[]).map((part) => [part.name, part]));
}

/** Parts that answer at the addresses that `up` has printed. */
async function answering({ mariadb, kafka, connect }: Record<string, unknown>): Promise<string[]> {
  const database = await mysql.createConnection({ uri: `mysql://root@${mariadb}` });
  await database.query('SELECT 1');
  await database.end();
  const admin = new Client({ brokers: [String(kafka)], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  expect(await admin.listTopics()).toContain('connect.config');
  await admin.disconnect();
  expect(await (await fetch(`${connect}/connectors`)).json()).toEqual([]);
  return ['mariadb', 'kafka', 'connect'];
}

async function ended(...pids: number[]): Promise<void> {
  const alive = () => pids.filter((pid) => existsSync(`/proc/${pid}/exe`));
  for (const deadline = Date.now() + 5000; alive().length > 0 && Date.now() < deadline; ) await sleep(50);
  expect(alive()).toEqual([]);
}

describe('scripts/stack', () => {
  afterAll(async () => {
    await stack('down');
    rmSync(parent, { recursive: true });
  });

  it('starts all parts, finds them running the second time, and ends them', async () => {
    const first = await stack('up');
    expect(first.json['found']).toBe('started');
    expect(await answering(first.json)).toHaveLength(3);
    const parts = await status();
    expect(Object.values(parts).map(({ name, live }) => `${name} ${live}`)).toEqual(
      expect.arrayContaining(['supervisor true', 'mariadb true', 'kafka true', 'connect true']),
    );
    for (const { memoryMb } of Object.values(parts)) expect(memoryMb).toBeGreaterThan(20);
    expect((await stack('up')).json).toEqual({ ...first.json, found: 'running' });
    expect((await stack('down')).json['ended']).toBe(true);
    await ended(...Object.values(parts).map(({ pid }) => pid));
    expect(existsSync(folder)).toBe(false);
    expect(await stack('status')).toMatchObject({ code: 1, json: { parts: [] } });
  }, 200_000);

  it('loses its parts with a supervisor killed by kill -9, and starts anew', async () => {
    await stack('up');
    const { supervisor, ...parts } = await status();
    process.kill(supervisor?.pid ?? 0, 'SIGKILL');
    await ended(...Object.values(parts).map(({ pid }) => pid));
    expect((await stack('status')).code).toBe(1);
    const again = await stack('up');
    expect(again.json['found']).toBe('started');
    expect(await answering(again.json)).toHaveLength(3);
    expect((await stack('status')).code).toBe(0);
  }, 200_000);

  it('tells which part was killed, and ends the rest', async () => {
    await stack('up');
    const before = await status();
    process.kill(before['kafka']?.pid ?? 0, 'SIGKILL');
    await ended(before['kafka']?.pid ?? 0);
    expect(Object.values(await status()).flatMap(({ name, live }) => (live ? [] : [name]))).toEqual(['kafka']);
    expect((await stack('down')).json['ended']).toBe(true);
    await ended(...Object.values(before).map(({ pid }) => pid));
    expect(existsSync(folder)).toBe(false);
  }, 200_000);
});
