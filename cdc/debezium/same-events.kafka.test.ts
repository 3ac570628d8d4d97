import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { CapturedDomain } from '../emitter/capture.ts';
import { Translator } from '../emitter/translate.ts';
import type { CapturedTables, Source, Transaction } from '../types.ts';
import { openDebeziumSource, startTestStack, type TestStack } from './test-support.ts';

const TABLES: CapturedTables = {
  orders: { key: ['id'], columns: ['id', 'title', 'placed', 'price', 'token'], excluded: ['token'] },
  lines: { key: ['order_code', 'line'], columns: ['order_code', 'line', 'amount'] },
};

/** Its events hold everything that a change has. */
const DOMAIN: CapturedDomain = {
  name: 'orders',
  tables: TABLES,
  capture: Object.fromEntries(
    Object.keys(TABLES).map((table) => [
      table,
      (change) => [
        { type: 'Changed', key: String(change.key[0]), data: { ...change } },
        { type: 'AlsoChanged', key: String(change.key[0]), data: { kind: change.kind } },
      ],
    ]),
  ),
  encode: (event) => ({ version: 1, data: JSON.stringify(event.data) }),
};

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
}, 120_000);
afterAll(() => stack?.dispose());

function rows(from: number, to: number): string {
  return Array.from(
    { length: to - from + 1 },
    (_, i) => `(${from + i}, 't${i}', '2026-11-21 10:00:00.5', ${i}.25)`,
  ).join();
}

function workload(): string[] {
  const insert = 'INSERT INTO orders (id, title, placed, price) VALUES';
  return [
    `${insert} ${rows(1, 3)}`,
    "INSERT INTO `lines` VALUES ('a', 1, 1.5), ('a', 2, NULL), ('b', 1, 0)",
    "UPDATE orders SET title = 'same', token = 'other'",
    "UPDATE `lines` SET line = line + 10 WHERE order_code = 'a'",
    "UPDATE `lines` SET order_code = 'B' WHERE order_code = 'b'",
    // The same row several times, so that the nth change of a key counts.
    ...['BEGIN', `${insert} ${rows(4, 4)}`, "UPDATE orders SET title = 'x' WHERE id = 4"],
    ...[
      "UPDATE orders SET title = 'y' WHERE id = 4",
      'DELETE FROM orders WHERE id = 4',
      `${insert} ${rows(4, 4)}`,
      'COMMIT',
    ],
    ...['BEGIN', `${insert} ${rows(5, 5)}`, 'SAVEPOINT s', `${insert} ${rows(6, 6)}`, 'ROLLBACK TO s', 'COMMIT'],
    ...['BEGIN', 'DELETE FROM orders', 'ROLLBACK'],
    'INSERT INTO elsewhere VALUES (1)',
    // Large: 47 rows, 30 of which get another key.
    ...['BEGIN', `${insert} ${rows(10, 56)}`, 'UPDATE orders SET id = id + 1000 WHERE id > 26', 'COMMIT'],
    'ALTER TABLE orders ADD note VARCHAR(20) AFTER id',
    "UPDATE orders SET note = 'n' WHERE id < 10",
    'TRUNCATE TABLE `lines`',
    "INSERT INTO `lines` VALUES ('c', 1, 99)",
    'ALTER TABLE orders MODIFY price DECIMAL(12,4)',
    'UPDATE orders SET price = price + 1',
    'DELETE FROM orders',
  ];
}

/** Everything with content from now to the head that `write` leaves; then the same through another source. */
async function collect(source: Source, write: () => Promise<void>): Promise<Transaction[]> {
  const all: Transaction[] = [];
  let head: string | undefined;
  for await (const batch of source.read(undefined, new AbortController().signal)) {
    if (head === undefined) {
      await write();
      head = await source.head();
    }
    all.push(...batch.filter(({ changes, disturbances }) => changes.length + disturbances.length > 0));
    const newest = batch.at(-1);
    if (newest?.last && newest.position >= head) break;
  }
  await source.close();
  return all;
}

it('gives event by event what the binlog source gives, ids included', async () => {
  const session = await stack.server.session();
  await session.sql(
    `CREATE TABLE orders (id INT PRIMARY KEY, title VARCHAR(50), placed DATETIME(3), price DECIMAL(9,2),
       token VARCHAR(9) DEFAULT 'secret')`,
    'CREATE TABLE `lines` (order_code VARCHAR(9) COLLATE utf8mb4_bin, line INT, amount DECIMAL(9,2), PRIMARY KEY (order_code, line))',
    'CREATE TABLE elsewhere (id INT PRIMARY KEY)',
  );
  const options = stack.options('same', TABLES);
  await stack.apply(options);
  // One begins to read; when it stands at now, so does the other; then it is written.
  let direct: Promise<Transaction[]> | undefined;
  const through = await collect(openDebeziumSource({ ...options, maxPartChanges: 10 }), async () => {
    direct = new Promise((resolve, reject) => {
      collect(stack.server.open({ tables: TABLES, maxPartChanges: 10 }), () => session.sql(...workload())).then(
        resolve,
        reject,
      );
    });
    await direct;
  });
  await session.end();
  const binlog = (await direct) ?? [];
  const translator = new Translator([DOMAIN]);
  // Its time is the commit's; Debezium's END has the time of the last statement before it. They differ by seconds at most.
  const events = (all: Transaction[]) =>
    all
      .flatMap((transaction) => translator.part(transaction, { parked: {}, domains: {} }).events)
      .map(({ position: _, time: __, ...event }) => event);
  const shape = (all: Transaction[]) =>
    all.map(({ gtid, part, last, changes, disturbances }) => ({
      ...{ gtid, part, last, changes: changes.length },
      disturbances: disturbances.map(({ kind, tables }) => `${kind} ${tables}`),
    }));
  expect(shape(through)).toEqual(shape(binlog));
  expect(events(through)).toEqual(events(binlog));
  expect(events(binlog).length).toBeGreaterThan(300);
  expect(JSON.stringify(through)).not.toMatch(/secret|other/);
});
