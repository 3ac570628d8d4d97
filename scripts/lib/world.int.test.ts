import { existsSync, mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { createWorld } from './world.ts';

it('a world that cannot be made whole leaves no server behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-half-'));
  // Where the monolith’s output belongs: it cannot be started.
  mkdirSync(join(folder, 'monolith.out'));
  await expect(createWorld({ posts: 20, claps: 50, seed: 1, folder })).rejects.toThrow('EISDIR');
  expect(existsSync(join(folder, 'mariadb', 'data', 'ibdata1'))).toBe(true);
  expect(existsSync(join(folder, 'mariadb', 'pid'))).toBe(false);
  await rm(folder, { recursive: true });
}, 120_000);
