import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { checkFolder } from './check.ts';

it('a folder may be still to come, but not where nothing can be made', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-folder-'));
  expect(await checkFolder(folder)).toEqual([]);
  expect(await checkFolder(join(folder, 'data', 'stores'))).toEqual([]);
  await writeFile(join(folder, 'file'), '');
  expect(await checkFolder(join(folder, 'file', 'stores'))).toMatchObject([
    { check: 'stores', level: 'error', found: expect.stringContaining('ENOTDIR') },
  ]);
  await rm(folder, { recursive: true });
});
