import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { fromNow, type Session } from '../contract.ts';
import { startTestServer, type TestServer } from './test-support.ts';

const MEGABYTE = 2 ** 20;
const ROWS = 200;

let server: TestServer;
let session: Session;

beforeAll(async () => {
  server = await startTestServer({ extra: ['--max-allowed-packet=64M', '--sync-binlog=0'] });
  session = await server.session();
});
afterAll(async () => {
  await session.end();
  await server.dispose();
});

function memory(): number {
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / MEGABYTE;
}

it.each([
  ['many transactions', 1],
  ['one large transaction', ROWS],
])('a reader that stands still is not flooded: %s', async (_, perTransaction) => {
  await session.sql(
    'CREATE OR REPLACE TABLE pages (id INT AUTO_INCREMENT PRIMARY KEY, body LONGTEXT CHARACTER SET latin1)',
  );
  const source = server.open({ tables: { pages: { key: ['id'], columns: ['id', 'body'] } } });
  const begin = await fromNow(source);
  for (let row = 0; row < ROWS; row += perTransaction) {
    const inserts = Array.from(
      { length: perTransaction },
      () => `INSERT INTO pages (body) VALUES (REPEAT('x', ${MEGABYTE}))`,
    );
    await session.sql('BEGIN', ...inserts, 'COMMIT');
  }
  const before = memory();
  let read = 0;
  for await (const batch of source.read(begin.resume, new AbortController().signal)) {
    if (read === 0) {
      // Time for all of it to arrive, if nothing held it back.
      await sleep(1500);
      expect(memory() - before).toBeLessThan(120);
    }
    for (const { changes } of batch) {
      for (const { after } of changes) expect(String(after?.['body']).length).toBe(MEGABYTE);
      read += changes.length;
    }
    if (read === ROWS) break;
  }
  expect(read).toBe(ROWS);
  await source.close();
});
