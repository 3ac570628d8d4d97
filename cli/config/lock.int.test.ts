import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { lockData } from './adapters.ts';

it('who finds the data folder in use is told by which process, and can have it when that lets go', async () => {
  const data = await mkdtemp(join(tmpdir(), 'banyan-lock-'));
  const lock = lockData({ data }, 'one');
  const found = expect.stringMatching(new RegExp(`${data} is in use by process ${process.pid}$`));
  expect(() => lockData({ data }, 'one')).toThrow(expect.objectContaining({ code: 'BNY-CLI-UP-TWICE', found }));
  lock.release();
  lockData({ data }, 'one').release();
  await rm(data, { recursive: true });
});
