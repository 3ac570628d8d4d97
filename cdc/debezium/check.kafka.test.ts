import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { checkKafka } from '../../log/index.ts';
import { adminOf } from '../../log/kafka/topics.ts';
import type { TestSession } from '../binlog/test-support.ts';
import type { CapturedTables } from '../types.ts';
import {
  connectorConfig,
  connectorStatus,
  connectorTopics,
  type DebeziumOptions,
  openDebeziumSource,
} from './index.ts';
import { connectorNameOf } from './options.ts';
import { ask } from './rest.ts';
import { running, startTestStack, type TestStack } from './test-support.ts';

const run = promisify(execFile);
const ORDERS: CapturedTables = { orders: { key: ['id'], columns: ['id'] } };

let folder: string;
let ca: string;
let stack: TestStack;
let session: TestSession;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-check-'));
  await chmod(folder, 0o755);
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const about = ['-subj', '/CN=server', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...about]);
  ca = await readFile(cert, 'utf8');
  const store = ['-keystore', join(folder, 'trust.p12'), '-storetype', 'PKCS12', '-storepass', 'changeit'];
  await run('keytool', ['-importcert', '-noprompt', '-alias', 'db', '-file', cert, ...store]);
  stack = await startTestStack({ extra: [`--ssl-cert=${cert}`, `--ssl-key=${key}`] });
  session = await stack.server.session();
  await session.sql(
    'CREATE TABLE orders (id INT PRIMARY KEY)',
    "CREATE USER app@'%' IDENTIFIED BY 'right'",
    "CREATE USER safe@'%' IDENTIFIED BY 'right' REQUIRE SSL",
    "GRANT ALL ON *.* TO app@'%', safe@'%'",
  );
}, 120_000);
afterAll(async () => {
  await session?.end();
  await stack?.dispose();
  await rm(folder, { recursive: true });
});

async function checked(options: DebeziumOptions, check = 'connector') {
  const source = openDebeziumSource(options);
  const findings = (await source.check()).filter((finding) => finding.check === check);
  await source.close();
  return findings;
}

const path = (options: DebeziumOptions) => `/connectors/${connectorNameOf(options)}`;

describe('the check of a running connector', () => {
  let options: DebeziumOptions;
  beforeAll(async () => {
    options = stack.options('live', ORDERS);
    await stack.apply(options);
  });

  it('finds nothing where it runs as it was made', async () => {
    expect(await checked(options)).toEqual([]);
  });

  it.each([
    ['time.precision.mode', 'isostring', 'adaptive_time_microseconds'],
    ['decimal.handling.mode', 'double', 'string'],
    ['skipped.operations', 't', 'none'],
    ['tombstones.on.delete', 'true', 'false'],
    ['include.schema.changes', 'false', 'true'],
    ['errors.tolerance', 'all', 'none'],
    ['event.processing.failure.handling.mode', 'skip', 'fail'],
    ['producer.override.max.request.size', '1000000', '8000000'],
    ['column.exclude.list', 'shop.orders.title', undefined],
    ['gtid.source.filter.dml.events', 'false', undefined],
    ['schema.history.internal.skip.unparseable.ddl', 'true', undefined],
  ])('names %s=%s, which somebody set', async (name, value, ours) => {
    const { body: live } = await ask(options.connect, 'GET', `${path(options)}/config`);
    await ask(options.connect, 'PUT', `${path(options)}/config`, { ...live, [name]: value });
    const findings = await checked(options);
    await ask(options.connect, 'PUT', `${path(options)}/config`, live);
    expect(findings).toContainEqual({
      check: 'connector',
      level: 'error',
      found: `the connector runs with ${name}=${value}`,
      needed: expect.stringContaining(ours === undefined ? `no ${name}` : `${name}=${ours}`),
      cure: 'banyan connector apply --yes',
    });
  });

  it('only warns of what loses nothing, and tells no password', async () => {
    const { body: live } = await ask(options.connect, 'GET', `${path(options)}/config`);
    const changed = { ...live, 'poll.interval.ms': '500', 'database.user': 'app', 'database.password': 'right' };
    await ask(options.connect, 'PUT', `${path(options)}/config`, changed);
    const findings = (await checked(options)).filter(({ found }) => found.includes('runs with'));
    await ask(options.connect, 'PUT', `${path(options)}/config`, live);
    expect(new Set(findings.map(({ level, found }) => `${level} ${found.replace(/.* with /, '')}`))).toEqual(
      new Set(['warning another database.password', 'warning database.user=app', 'warning poll.interval.ms=500']),
    );
    expect(JSON.stringify(findings)).not.toContain('right');
  });

  it('names a topic of its that was altered by hand, as it takes less than the connector writes, or forgets', async () => {
    const [topic = ''] = connectorTopics(options).keys();
    const admin = adminOf(options.kafka);
    const settings = { 'retention.ms': '1000', 'max.message.bytes': '5000000' };
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries };
    await admin.connect();
    await admin.alterConfigs({ validateOnly: false, resources: [resource] });
    await admin.disconnect();
    const findings = await checkKafka({ ...options.kafka, topics: {}, writers: [] }, connectorTopics(options));
    const ofTopic = findings.filter(({ check }) => check === `topic ${topic}`);
    expect(ofTopic.map(({ found }) => found)).toEqual(
      expect.arrayContaining(['retention.ms=1000', 'max.message.bytes=5000000']),
    );
  });
});

describe('the check of a connector', () => {
  it('names the cause at which its task has failed', async () => {
    const made = stack.options('failing', ORDERS);
    const options = { ...made, connect: { ...made.connect, account: { user: 'app', password: 'right' } } };
    await stack.apply(options);
    await session.sql("ALTER USER app@'%' IDENTIFIED BY 'another'");
    await ask(options.connect, 'POST', `${path(options)}/restart?includeTasks=true`);
    while ((await connectorStatus(options)).tasks[0]?.state !== 'FAILED') await sleep(100);
    const findings = await checked(options);
    await session.sql("ALTER USER app@'%' IDENTIFIED BY 'right'");
    expect(findings).toContainEqual(
      expect.objectContaining({
        level: 'error',
        found: expect.stringMatching(/^failing\.banyan\.changes RUNNING: .*Access denied/),
        cure: expect.stringContaining('restart the task'),
      }),
    );
  });

  it('names, before there is one, what Connect would refuse: a word that the connector does not know', async () => {
    const made = stack.options('words', ORDERS);
    const options = { ...made, connect: { ...made.connect, extra: { 'database.ssl.mode': 'required' } } };
    const [refused, missing] = await checked(options);
    expect(refused).toMatchObject({
      level: 'error',
      found: expect.stringMatching(/refuses database\.ssl\.mode: .*trust/),
    });
    expect(missing).toMatchObject({ found: 'words.banyan.changes MISSING', cure: expect.stringContaining('apply') });
  });

  it('runs with the certificate that Banyan itself asks for', async () => {
    const made = stack.options('tls', ORDERS);
    const trust = {
      'database.ssl.truststore': join(folder, 'trust.p12'),
      'database.ssl.truststore.password': 'changeit',
    };
    const connection = { ...made.connection, user: 'safe', password: 'right', ssl: { ca } };
    const bare = { ...made, connection };
    expect(connectorConfig(bare)).toMatchObject({ 'database.ssl.mode': 'verify-ca' });
    expect((await checked(bare))[0]?.found).toMatch(/refuses database/);
    const options = { ...bare, connect: { ...made.connect, extra: trust } };
    await stack.apply(options);
    expect(await running(options)).toMatchObject({ state: 'RUNNING' });
    expect(await checked(options)).toEqual([]);
  });
});

it('the check names columns that can hold more than passes, and how much they hold now', async () => {
  await session.sql(
    'CREATE TABLE pages (id INT PRIMARY KEY, body LONGTEXT, scan MEDIUMBLOB, note TEXT, secret LONGBLOB)',
    "INSERT INTO pages VALUES (1, REPEAT('x', 70000), NULL, 'n', 's')",
  );
  const pages = { key: ['id'], columns: ['id', 'body', 'note'], excluded: ['secret'] };
  const findings = await checked(stack.options('sizes', { pages }), 'column size');
  expect(findings.map(({ level, found }) => `${level} ${found}`)).toEqual([
    expect.stringMatching(/^warning .*`body` is longtext, .*70000 bytes now/),
    expect.stringMatching(/^warning .*`scan` is mediumblob, .*0 bytes now/),
  ]);
});
