import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openSqliteLog, RESET_TYPE, topicsFor } from '../../../log/index.ts';
import { SqliteStore } from '../store/sqlite/store.ts';
import { Projector } from './projector.ts';
import { event, inBatchesOf, note, notesProjection, tag } from './test-support.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-partitions-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Notes that are written again and again, and a reset in the middle: only the whole order gives the right rows. */
const HISTORY = [
  ...Array.from({ length: 400 }, (_, n) => ({ ...note(n % 37, `first ${n}`), key: `note-${n % 37}` })),
  { ...event('notes', RESET_TYPE, {}), key: 'reset' },
  ...Array.from({ length: 200 }, (_, n) => ({ ...note(n % 31, `second ${n}`), key: `note-${n % 31}` })),
  ...Array.from({ length: 50 }, (_, n) => tag(n % 7, 'red', n)),
];

async function hashWith(partitions: number, limit: number): Promise<string> {
  const topics = topicsFor({ notes: { partitions }, tags: {} });
  const name = `${partitions}-${limit}`;
  const log = openSqliteLog({ file: join(folder, `${name}.log`), topics });
  const writer = await log.writer('emitter');
  for (let at = 0; at < HISTORY.length; at += 30)
    await writer.append(HISTORY.slice(at, at + 30), { position: '1', freshAt: 1, parked: {} });
  const projection = notesProjection();
  const logIdentity = await log.identity();
  const file = join(folder, `${name}.store`);
  const store = new SqliteStore({ file, projection, logIdentity, partitions: { notes: partitions } });
  const until = await log.ends(projection.topics);
  await new Projector({ log: inBatchesOf(limit, log), projection, store, until }).run(new AbortController().signal);
  const hash = await store.hash();
  await store.close();
  await log.close();
  return hash;
}

it('gives the same rows from a topic with one partition and with four', async () => {
  const one = await hashWith(1, 1000);
  expect(await hashWith(4, 1000)).toBe(one);
  expect(await hashWith(4, 7)).toBe(one);
});
