import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { adminOf } from '../../log/kafka/topics.ts';
import { Wire } from '../../log/kafka/wire.ts';
import type { TestSession } from '../binlog/test-support.ts';
import { fromNow, hasContent, keysOf, readTo } from '../contract.ts';
import type { CapturedTables, ResumePoint, Source, Transaction } from '../types.ts';
import { deleteConnector, setBackConnector } from './index.ts';
import { connectorNameOf, type DebeziumOptions, topicOf } from './options.ts';
import { parseGtid } from './position.ts';
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
  source = openDebeziumSource({ ...options, silenceMs: 30_000 });
  begin = await fromNow(source);
  await source.close();
  source = openDebeziumSource(options);
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

async function topicEnd(): Promise<number> {
  const wire = await Wire.open(options.kafka, [topicOf(options)]);
  const [end = 0] = await wire.offsets([{ topic: topicOf(options), partition: 0 }], 'stable');
  await wire.close();
  return end;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(50);
}

/** Of the structures that a connector reads when it starts without an offset. */
async function structures(): Promise<number> {
  return (await records()).filter((record) => record.kind === 'statement' && record.gtid === undefined).length;
}

async function stopped(): Promise<void> {
  await ask(options.connect, 'PUT', `${path()}/stop`);
  await until(async () => (await ask(options.connect, 'GET', `${path()}/status`)).body.connector.state === 'STOPPED');
}

async function resumed(): Promise<void> {
  await ask(options.connect, 'PUT', `${path()}/resume`);
  await running(options);
}

it('a connector that is set back behind nothing writes the binlog again from its beginning on', async () => {
  const table = await start();
  await session.sql(insert(table, 1, 3));
  expect(keysOf(await history())).toEqual([[1], [2], [3]]);
  await until(async () => (await ask(options.connect, 'GET', `${path()}/offsets`)).body.offsets.length > 0);
  const first = async () => (await records()).some((record) => record.kind === 'begin' && record.gtid.sequence === 1n);
  expect(await first()).toBe(false);
  await setBackConnector(options, '');
  await until(async () => (await running(options)) && (await first()));
  await session.sql(insert(table, 4, 4));
  expect(keysOf(await history())).toEqual([[1], [2], [3], [4]]);
});

describe('kill -9 of Connect', () => {
  it('under a burst of small and large transactions loses nothing and doubles nothing', async () => {
    const table = await start();
    const reader = openDebeziumSource({ ...options, silenceMs: 120_000 });
    const binlog = stack.server.open({ tables: options.tables });
    const from = await fromNow(binlog);
    const seen: Transaction[] = [];
    let newest = begin;
    const read = async () => {
      for await (const batch of reader.read(newest.resume, new AbortController().signal)) {
        seen.push(...batch.filter(hasContent));
        newest = batch.at(-1) ?? newest;
      }
    };
    // Debezium 3.5 goes on behind a transaction that it was killed in: that is noticed, and the cure cures it.
    const reading = (async () => {
      for (;;) {
        const raised = await read().catch((error) => error);
        if (raised === undefined) return;
        expect(raised).toMatchObject({ code: 'BNY-CDC-INCOMPLETE' });
        const [, gtid = ''] = /set-back (\S+) /.exec(raised.cure) ?? [];
        const missing = parseGtid(gtid).sequence + 1n;
        const begins = async () =>
          (await records()).filter((record) => record.kind === 'begin' && record.gtid.sequence === missing).length;
        const before = await begins();
        await setBackConnector(options, gtid);
        await until(async () => (await begins()) > before);
      }
    })();
    for (let id = 1; id < 100_000; id += 30_000) {
      for (let i = id; i < id + 2000; i += 50) await session.sql(insert(table, i, i + 49));
      const before = await topicEnd();
      await session.sql(
        'BEGIN',
        insert(table, id + 2000, id + 29_999),
        `UPDATE ${table} SET id = -id WHERE id > ${id + 29_000}`,
        'COMMIT',
      );
      // Connect saves its offset every second: it is killed in the middle of a transaction.
      while ((await topicEnd()) < before + 8000) await sleep(10);
      await stack.connect.kill();
      await stack.connect.restart();
      await running(options);
    }
    const expected = await readTo(binlog, from, await binlog.head());
    await binlog.close();
    const changes = (all: Transaction[]) => all.reduce((sum, each) => sum + each.changes.length, 0);
    await Promise.race([reading, until(() => changes(seen) >= changes(expected))]);
    await reader.close();
    await reading;
    const shape = (all: Transaction[]) =>
      all.map(({ gtid, part, last, changes: own }) => ({
        gtid,
        part,
        last,
        keys: own.map(({ kind, key }) => `${kind} ${key}`),
      }));
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
    const before = await structures();
    await session.sql(insert(table, 2, 2));
    expect((await ask(options.connect, 'DELETE', `${path()}/offsets`)).status).toBe(200);
    await resumed();
    await until(async () => (await structures()) === 2 * before);
    await session.sql(insert(table, 3, 3));
    expect(await fault()).toMatchObject({ code: 'BNY-CDC-INCOMPLETE', retryable: false });
  });

  it('is no fault when nothing was written meanwhile: the next GTID proves it', async () => {
    const table = await start();
    await session.sql(insert(table, 1, 1));
    expect(keysOf(await history())).toEqual([[1]]);
    await stopped();
    const before = await structures();
    expect((await ask(options.connect, 'DELETE', `${path()}/offsets`)).status).toBe(200);
    await resumed();
    await until(async () => (await structures()) === 2 * before);
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
    // Somebody who still reads a file keeps it.
    await until(async () => {
      await session.sql(`PURGE BINARY LOGS TO '${status?.['File']}'`);
      return (await session.rows('SHOW BINARY LOGS')).length === 1;
    });
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
    await session.sql(insert(table, 2, 200));
    await admin.disconnect();
    // The offset to go on from is there again, with something else behind it.
    await until(async () => (await topicEnd()) > Number(first?.resume['offset']) + 50);
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
  it.each(['', 'and rows behind it'])('CREATE OR REPLACE of a table that it reads %s', async (rows) => {
    const table = await start();
    await session.sql(`CREATE OR REPLACE TABLE ${table} (title INT, id INT PRIMARY KEY)`);
    // Of as many columns as before: Debezium would give them the old names.
    if (rows) await session.sql(`INSERT INTO ${table} VALUES (1, 2)`);
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

  it('a table of whose structure it says nothing, while its heartbeats come', async () => {
    await start();
    await source.close();
    source = openDebeziumSource({
      ...options,
      tables: { ...options.tables, absent: { key: ['id'], columns: ['id'] } },
    });
    await expect(fromNow(source)).rejects.toMatchObject({
      code: 'BNY-CDC-CONNECTOR',
      found: expect.stringContaining('nothing about absent'),
    });
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
