import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { adminOf } from '../../log/kafka/topics.ts';
import { Wire } from '../../log/kafka/wire.ts';
import type { TestSession } from '../binlog/test-support.ts';
import { fromNow, hasContent, keysOf, readTo } from '../contract.ts';
import type { CapturedTables, ResumePoint, Source, Transaction } from '../types.ts';
import { deleteConnector } from './connect.ts';
import { connectorNameOf, type DebeziumOptions, topicOf } from './options.ts';
import { readRecord } from './record.ts';
import { ask } from './rest.ts';
import { openDebeziumSource, running, startTestStack, type TestStack } from './test-support.ts';

let stack: TestStack;
let session: TestSession;
let options: DebeziumOptions;
let source: Source;
let begin: Transaction;
let count = 0;

beforeAll(async () => {
  stack = await startTestStack();
  session = await stack.server.session();
}, 120_000);
afterAll(async () => {
  await session?.end();
  await stack?.dispose();
});
afterEach(async () => {
  await source.close();
  await deleteConnector(options);
});

/** A connector and a source of its own; the source has told where it begins. */
async function start(): Promise<string> {
  const table = `orders${++count}`;
  await session.sql(`CREATE TABLE ${table} (id INT PRIMARY KEY, title VARCHAR(100))`);
  const tables: CapturedTables = { [table]: { key: ['id'], columns: ['id', 'title'] } };
  options = { ...stack.options(`faults${count}`, tables), silenceMs: 2000 };
  await stack.apply(options);
  source = openDebeziumSource(options);
  begin = await fromNow(source);
  return table;
}

const history = async (from = begin) => readTo(source, from, await source.head());
const insert = (table: string, from: number, to: number) =>
  `INSERT INTO ${table} VALUES ${Array.from({ length: to - from + 1 }, (_, i) => `(${from + i}, 'x')`)}`;
const path = () => `/connectors/${encodeURIComponent(connectorNameOf(options))}`;

/** Reads until it raises; what it raises. */
async function fault(from: ResumePoint | undefined = begin.resume): Promise<unknown> {
  try {
    for await (const _ of source.read(from, new AbortController().signal));
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Every record of the connector's topic. */
async function records() {
  const topic = topicOf(options);
  const wire = await Wire.open(options.kafka, [topic]);
  const all = [];
  for (let from = 0; ; ) {
    const [fetched] = await wire.fetch([{ topic, partition: 0, from }], { waitMs: 0, bytes: 8_000_000 });
    if (!fetched || fetched.next === from) break;
    all.push(...fetched.records.map((record) => readRecord(record, topic)));
    from = fetched.next;
  }
  await wire.close();
  return all;
}

async function stopped(): Promise<void> {
  await ask(options.connect, 'PUT', `${path()}/stop`);
  while ((await ask(options.connect, 'GET', `${path()}/status`)).body.connector.state !== 'STOPPED') await sleep(50);
}

async function resumed(): Promise<void> {
  await ask(options.connect, 'PUT', `${path()}/resume`);
  await running(options);
}

describe('kill -9 of Connect', () => {
  it('under a burst of small and large transactions loses nothing and doubles nothing', async () => {
    const table = await start();
    const seen: Transaction[] = [];
    const stop = new AbortController();
    const reading = (async () => {
      for await (const batch of source.read(begin.resume, stop.signal)) seen.push(...batch.filter(hasContent));
    })();
    const binlog = stack.server.open({ tables: options.tables });
    const start0 = await fromNow(binlog);
    let id = 0;
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 40; i++, id += 50) await session.sql(insert(table, id + 1, id + 50));
      // Connect saves its offset every second: it is killed in the middle of this one.
      id += 30_000;
      await session.sql(
        'BEGIN',
        insert(table, id - 29_999, id),
        `UPDATE ${table} SET id = -id WHERE id > ${id - 1000}`,
        'COMMIT',
      );
      const before = (await records()).length;
      while ((await records()).length < before + 4000) await sleep(20);
      await stack.connect.kill();
      await stack.connect.restart();
      await running(options);
    }
    const expected = await readTo(binlog, start0, await binlog.head());
    await binlog.close();
    const changes = (all: Transaction[]) => all.reduce((sum, each) => sum + each.changes.length, 0);
    while (changes(seen) < changes(expected)) await sleep(50);
    stop.abort();
    await reading;
    const shape = (all: Transaction[]) =>
      all.map(({ gtid, part, last, changes: own }) => ({ gtid, part, last, changes: own }));
    expect(shape(seen)).toEqual(shape(expected));
    const begins = (await records()).flatMap((record) => (record.kind === 'begin' ? [record.gtid.text] : []));
    expect(begins.length).toBeGreaterThan(new Set(begins).size);
  }, 180_000);
});

describe('a connector that goes on elsewhere than it stopped', () => {
  it('is noticed when its offsets were lost and something was written meanwhile', async () => {
    const table = await start();
    await session.sql(insert(table, 1, 1));
    expect(keysOf(await history())).toEqual([[1]]);
    await stopped();
    await session.sql(insert(table, 2, 2));
    expect((await ask(options.connect, 'DELETE', `${path()}/offsets`)).status).toBe(200);
    await resumed();
    await sleep(2000);
    await session.sql(insert(table, 3, 3));
    expect(await fault()).toMatchObject({ code: 'BNY-CDC-INCOMPLETE', retryable: false });
  });

  it('is no fault when nothing was written meanwhile: the next GTID proves it', async () => {
    const table = await start();
    await session.sql(insert(table, 1, 1));
    expect(keysOf(await history())).toEqual([[1]]);
    await stopped();
    expect((await ask(options.connect, 'DELETE', `${path()}/offsets`)).status).toBe(200);
    await resumed();
    while ((await records()).filter((record) => record.kind === 'statement' && record.gtid === undefined).length < 14)
      await sleep(50);
    await session.sql(insert(table, 2, 2));
    expect(keysOf(await history())).toEqual([[1], [2]]);
  });

  it('goes on where it was when it is deleted and applied again', async () => {
    const table = await start();
    await session.sql(insert(table, 1, 1));
    expect(keysOf(await history())).toEqual([[1]]);
    await stopped();
    await deleteConnector(options);
    await session.sql(insert(table, 2, 2));
    await stack.apply(options);
    await session.sql(insert(table, 3, 3));
    expect(keysOf(await history())).toEqual([[1], [2], [3]]);
  });

  it('stops when the binlog that it needs has been purged', async () => {
    const table = await start();
    await session.sql(insert(table, 1, 1));
    await history();
    await stopped();
    await session.sql(insert(table, 2, 2), 'FLUSH BINARY LOGS');
    const [status] = await session.rows('SHOW MASTER STATUS');
    await session.sql(`PURGE BINARY LOGS TO '${status?.['File']}'`);
    await ask(options.connect, 'PUT', `${path()}/resume`);
    expect(await fault()).toMatchObject({ code: 'BNY-CDC-PURGED', retryable: false });
  });
});

describe('a topic that is not as it was', () => {
  it('is noticed when it was deleted and made anew', async () => {
    const table = await start();
    await session.sql(insert(table, 1, 1));
    const [first] = await history();
    await stopped();
    const admin = adminOf(options.kafka);
    await admin.connect();
    await admin.deleteTopics({ topics: [topicOf(options)] });
    await sleep(500);
    await deleteConnector(options);
    await stack.apply(options);
    await session.sql(insert(table, 2, 20));
    await admin.disconnect();
    expect(await fault(first?.resume)).toMatchObject({ code: 'BNY-CDC-OTHER-TOPIC', retryable: false });
  });

  it.each([
    ['text', 'hello'],
    ['a record of another connector', '{"source":{"connector":"mariadb","name":"other"},"op":"c"}'],
    ['nothing', null],
  ])('is refused when somebody else writes to it: %s', async (_, value) => {
    await start();
    const producer = new kafkajs.Kafka({
      brokers: [stack.kafka.brokers],
      logLevel: kafkajs.logLevel.NOTHING,
    }).producer();
    await producer.connect();
    await producer.send({ topic: topicOf(options), messages: [{ key: null, value }] });
    await producer.disconnect();
    const raised = await fault();
    expect(raised).toMatchObject({ code: 'BNY-CDC-FOREIGN-RECORD', retryable: false });
    expect(String(raised)).not.toContain('hello');
  });
});

describe('what the connector does not follow', () => {
  it('CREATE OR REPLACE of a table that it reads', async () => {
    const table = await start();
    await session.sql(`CREATE OR REPLACE TABLE ${table} (title INT, id INT PRIMARY KEY)`);
    expect(await fault()).toMatchObject({
      code: 'BNY-CDC-UNDECODABLE',
      found: expect.stringContaining('CREATE OR REPLACE'),
    });
  });

  it('an XA transaction', async () => {
    const table = await start();
    await session.sql(
      "XA START 'a'",
      insert(table, 1, 2),
      "XA END 'a'",
      "XA PREPARE 'a'",
      "XA COMMIT 'a'",
      insert(table, 3, 3),
    );
    expect(await fault()).toMatchObject({
      code: 'BNY-CDC-INCOMPLETE',
      found: expect.stringContaining('2 changes and no END'),
    });
  });

  it('a row that was not logged in full', async () => {
    const table = await start();
    await session.sql(insert(table, 1, 1), 'SET SESSION binlog_row_image = MINIMAL', `UPDATE ${table} SET title = 'y'`);
    await session.sql('SET SESSION binlog_row_image = FULL');
    expect(await fault()).toMatchObject({ code: 'BNY-CDC-CONNECTOR', found: expect.stringContaining('FAILED') });
  });

  it('a connector that is not there', async () => {
    await start();
    await deleteConnector(options);
    expect(await fault()).toMatchObject({ code: 'BNY-CDC-CONNECTOR', found: expect.stringContaining('MISSING') });
  });

  it('a server that has lost what was read', async () => {
    const table = await start();
    await session.sql(insert(table, 1, 1));
    const [first] = await history();
    await stopped();
    await session.sql('RESET MASTER');
    expect(await fault(first?.resume)).toMatchObject({ code: 'BNY-CDC-DIVERGED' });
  });
});
