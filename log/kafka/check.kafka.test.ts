import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Kafka, startKafka } from '../../scripts/lib/kafka.ts';
import { checkKafka } from './check.ts';
import type { KafkaLogOptions } from './log.ts';
import { LogOnKafka } from './test-support.ts';
import type { WantedTopic } from './topics.ts';

let kafka: Kafka;
let on: LogOnKafka;
beforeAll(async () => {
  const extra = { 'transaction.max.timeout.ms': '5000', 'socket.request.max.bytes': '9000000' };
  kafka = await startKafka({ extra: { ...extra, 'default.replication.factor': '2' } });
});
afterAll(() => kafka.stop());
beforeEach(() => {
  on = new LogOnKafka(kafka);
});
afterEach(() => on.close());

const BROKER = [
  'warning replication factor 1',
  'error transaction.max.timeout.ms 5000',
  'error socket.request.max.bytes 9000000',
  'warning min.insync.replicas 1',
];

const brief = async (options: Partial<KafkaLogOptions> = {}, others?: Map<string, WantedTopic>) =>
  (await checkKafka({ ...on.options, ...options }, others)).map(
    ({ check, level, found }) => `${level} ${check} ${found}`,
  );

describe('the check of a log on Kafka', () => {
  it('names what brokers are set to, and makes no topic', async () => {
    const before = await on.admin((admin) => admin.listTopics());
    expect(await brief({ replicationFactor: 1 })).toEqual(BROKER);
    expect(await on.admin((admin) => admin.listTopics())).toEqual(before);
  });

  it('names more copies than there are brokers, before a topic is made', async () => {
    expect(await brief({ replicationFactor: 3 })).toContain(
      'error replication factor 3 copies of each topic, and 1 broker',
    );
    expect(await brief()).toContain('error replication factor 2 copies of each topic, and 1 broker');
  });

  it.each([
    ['events that expire', 'retention.ms', '1000', 'error'],
    ['events that are cut to a size', 'retention.bytes', '1000', 'error'],
    ['all but the newest event of a key', 'cleanup.policy', 'compact', 'error'],
    ['events of a usual size', 'max.message.bytes', '100000', 'error'],
    ['what a lagging broker has not got', 'unclean.leader.election.enable', 'true', 'error'],
    ['all events, as no copy may be missing', 'min.insync.replicas', '2', 'error'],
    ['what a single broker had in memory', 'min.insync.replicas', '1', 'warning'],
  ])('names a topic that would lose %s, though it was made right', async (_, setting, value, level) => {
    await on.open({ replicationFactor: 1 }).identity();
    expect(await brief()).toEqual(BROKER);
    await on.set(on.topic('orders'), setting, value);
    expect(await brief()).toEqual([`${level} topic ${on.topic('orders')} ${setting}=${value}`, ...BROKER]);
  });

  it('names a topic to which partitions were added by hand', async () => {
    await on.open({ replicationFactor: 1 }).identity();
    await on.admin((admin) => admin.createPartitions({ topicPartitions: [{ topic: on.topic('orders'), count: 2 }] }));
    expect(await brief()).toEqual([`error topic ${on.topic('orders')} 2 partitions`, ...BROKER]);
  });

  it('names a topic of others that takes less than they write', async () => {
    await on.open({ replicationFactor: 1 }).identity();
    const others = new Map([[on.topic('orders'), { batchBytes: 9_000_000 }]]);
    expect(await brief({}, others)).toEqual([`error topic ${on.topic('orders')} max.message.bytes=8388608`, ...BROKER]);
  });

  it('names a cluster that cannot be reached', async () => {
    expect(await brief({ brokers: ['127.0.0.1:1'] })).toEqual([
      expect.stringMatching(/^error log BNY-LOG-UNREACHABLE: .*127\.0\.0\.1:1/),
    ]);
  });
});
