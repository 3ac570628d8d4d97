import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka as Client, logLevel } from 'kafkajs';
import mysql from 'mysql2/promise';
import { type Connect, startConnect } from './connect.ts';
import { type Kafka, startKafka } from './kafka.ts';
import { type Mariadb, startMariadb } from './mariadb.ts';

let kafka: Kafka;
let connect: Connect;
let mariadb: Mariadb | undefined;
const folder = mkdtempSync(join(tmpdir(), 'banyan-kafka-test-'));
beforeAll(async () => {
  kafka = await startKafka();
  connect = await startConnect({ brokers: kafka.brokers });
});
afterAll(async () => {
  await mariadb?.stop();
  await connect.stop();
  await kafka.stop();
  rmSync(folder, { recursive: true });
});

function clientOf({ brokers }: Kafka): Client {
  const retry = { initialRetryTime: 50, maxRetryTime: 1000, retries: 15 };
  return new Client({ brokers: [brokers], logLevel: logLevel.NOTHING, retry });
}

async function createTopic(on: Kafka, topic: string): Promise<void> {
  const admin = clientOf(on).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }], waitForLeaders: true });
  await admin.disconnect();
}

/** Two transactions of one record each; the first one is aborted. */
async function writeAbortedAndCommitted(topic: string): Promise<void> {
  const producer = clientOf(kafka).producer({ transactionalId: topic, maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const aborted = await producer.transaction();
  await aborted.send({ topic, messages: [{ key: 'k', value: 'aborted' }] });
  await aborted.abort();
  const committed = await producer.transaction();
  await committed.send({ topic, messages: [{ key: 'k', value: 'committed' }] });
  await committed.commit();
  await producer.disconnect();
}

/** What a reader of committed records gets from the first one to `last`. */
async function readTo(last: string, topic: string, groupId: string): Promise<(string | undefined)[]> {
  const consumer = clientOf(kafka).consumer({ groupId, readUncommitted: false });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const values: (string | undefined)[] = [];
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
      values.push(message.value?.toString());
      if (values.at(-1) === last) resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
    setTimeout(() => reject(new Error(`${topic}: found ${values.join()}, needed ${last}`)), 20_000).unref();
  }).finally(() => consumer.disconnect());
  return values;
}

const reachable = (on: Kafka, topic: string) =>
  clientOf(on)
    .admin()
    .fetchTopicMetadata({ topics: [topic] });

describe('a private Kafka', () => {
  it('keeps what a transaction committed through kill -9 and a restart on the same port', async () => {
    await createTopic(kafka, 'kept');
    await writeAbortedAndCommitted('kept');
    expect(await readTo('committed', 'kept', 'before')).toEqual(['committed']);
    const { pid, brokers } = kafka;
    await kafka.kill();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    await kafka.restart();
    expect(kafka.pid).not.toBe(pid);
    expect(kafka.brokers).toBe(brokers);
    expect(await readTo('committed', 'kept', 'after')).toEqual(['committed']);
  });

  it('makes no topic of its own accord', async () => {
    const producer = clientOf(kafka).producer({ retry: { retries: 3 } });
    await producer.connect();
    const sent = producer.send({ topic: 'never-made', messages: [{ value: 'x' }] });
    await expect(sent).rejects.toThrow('does not host this topic-partition');
    await producer.disconnect();
  });

  it('answers nothing while it is paused, and goes on afterwards', async () => {
    await createTopic(kafka, 'paused');
    kafka.pause();
    let answered = false;
    const answer = reachable(kafka, 'paused').finally(() => (answered = true));
    await sleep(1500);
    expect(answered).toBe(false);
    kafka.resume();
    expect((await answer).topics).toHaveLength(1);
  });

  it('takes further server properties, at the start and at a restart, and keeps a folder that was given', async () => {
    const small = await startKafka({ folder, extra: { 'message.max.bytes': '2000' } });
    await createTopic(small, 'small');
    const producer = clientOf(small).producer();
    await producer.connect();
    const send = () => producer.send({ topic: 'small', messages: [{ value: 'x'.repeat(4000) }] });
    await expect(send()).rejects.toThrow('larger than the max message size');
    await small.restart({});
    await send();
    await producer.disconnect();
    await small.stop();
    expect(existsSync(join(folder, 'data', 'small-0'))).toBe(true);
  });

  it('lets only clients be asked for a password, where further properties want one', async () => {
    const guarded = await startKafka({
      extra: {
        'listener.security.protocol.map': 'CLIENT:SASL_PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
        'sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.client.plain.sasl.jaas.config':
          'org.apache.kafka.common.security.plain.PlainLoginModule required user_banyan="secret";',
      },
    });
    const topicsWith = async (password: string) => {
      const sasl = { mechanism: 'plain' as const, username: 'banyan', password };
      const retry = { retries: 0 };
      const admin = new Client({ brokers: [guarded.brokers], logLevel: logLevel.NOTHING, sasl, retry }).admin();
      await admin.connect();
      return admin.listTopics().finally(() => admin.disconnect());
    };
    expect(await topicsWith('secret')).toEqual([]);
    await expect(topicsWith('guess')).rejects.toThrow('Invalid username or password');
    await guarded.stop();
  });

  it('says in its error what the log ended with', async () => {
    await expect(startKafka({ extra: { 'log.retention.hours': 'soon' } })).rejects.toThrow(
      /kafka ended while it started:.*Invalid value soon for configuration log.retention.hours/s,
    );
  });
});

describe('a private Kafka Connect', () => {
  const get = async (path: string) => (await fetch(`${connect.url}${path}`)).json();

  it('has both connectors of Debezium', async () => {
    const plugins = (await get('/connector-plugins')) as { class: string; version: string }[];
    expect(plugins.map((plugin) => `${plugin.class} ${plugin.version}`)).toEqual(
      expect.arrayContaining([
        'io.debezium.connector.mariadb.MariaDbConnector 3.5.0.Final',
        'io.debezium.connector.mysql.MySqlConnector 3.5.0.Final',
      ]),
    );
  });

  it('streams rows out of MariaDB, and goes on with the next one after kill -9 and a restart on the same address', async () => {
    mariadb = await startMariadb();
    const sql = await shop(mariadb);
    await createTopic(kafka, 'shop');
    const body = JSON.stringify(connectorFor(mariadb));
    const headers = { 'content-type': 'application/json' };
    const made = await fetch(`${connect.url}/connectors/shop/config`, { method: 'PUT', headers, body });
    expect(made.ok ? 'made' : await made.text()).toBe('made');
    await running('shop');
    await sql('INSERT INTO shop.orders VALUES (1)');
    expect(await readTo('{"id":1}', 'shop', 'first')).toEqual(['{"id":1}']);
    const { url, pid } = connect;
    await connect.kill();
    await expect(get('/connectors')).rejects.toThrow('fetch failed');
    await sql('INSERT INTO shop.orders VALUES (2)');
    await connect.restart();
    expect(connect.pid).not.toBe(pid);
    expect(connect.url).toBe(url);
    // What it had delivered without saving its offset comes twice; nothing is left out.
    expect(new Set(await readTo('{"id":2}', 'shop', 'second'))).toEqual(new Set(['{"id":1}', '{"id":2}']));
  });

  const running = async (connector: string) => {
    for (const deadline = Date.now() + 30_000; ; await sleep(100)) {
      const { tasks } = (await get(`/connectors/${connector}/status`)) as {
        tasks?: { state: string; trace?: string }[];
      };
      if (tasks?.[0]?.state === 'RUNNING') return;
      if (tasks?.[0]?.state === 'FAILED' || Date.now() > deadline) throw new Error(JSON.stringify(tasks));
    }
  };
});

async function shop({ host, port, user }: Mariadb) {
  const sql = async (statement: string) => {
    const connection = await mysql.createConnection({ host, port, user });
    await connection.query(statement);
    await connection.end();
  };
  await sql('CREATE DATABASE shop');
  await sql('CREATE TABLE shop.orders (id INT PRIMARY KEY)');
  return sql;
}

/** The plainest connector that needs every part: rows as JSON, in one topic; those that are there already come first. */
function connectorFor({ host, port, user }: Mariadb): Record<string, string> {
  return {
    'connector.class': 'io.debezium.connector.mariadb.MariaDbConnector',
    'topic.prefix': 'shop',
    'database.hostname': host,
    'database.port': String(port),
    'database.user': user,
    'database.password': '',
    'database.server.id': '77',
    'database.ssl.mode': 'disable',
    'table.include.list': 'shop.orders',
    'include.schema.changes': 'false',
    'schema.history.internal.kafka.topic': 'shop.history',
    'schema.history.internal.kafka.bootstrap.servers': kafka.brokers,
    'topic.creation.default.replication.factor': '1',
    'topic.creation.default.partitions': '1',
    transforms: 'row,topic',
    'transforms.row.type': 'io.debezium.transforms.ExtractNewRecordState',
    'transforms.topic.type': 'org.apache.kafka.connect.transforms.RegexRouter',
    'transforms.topic.regex': 'shop\\..*',
    'transforms.topic.replacement': 'shop',
  };
}
