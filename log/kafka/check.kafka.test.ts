import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Kafka, startKafka } from '../../scripts/lib/kafka.ts';
import { checkKafka } from './check.ts';
import { LogOnKafka } from './test-support.ts';

let kafka: Kafka;
beforeAll(async () => {
  kafka = await startKafka({ extra: { 'transaction.max.timeout.ms': '5000' } });
});
afterAll(() => kafka.stop());

const brief = async (on: LogOnKafka, options = {}) =>
  (await checkKafka({ ...on.options, ...options })).map(({ check, level, found }) => `${level} ${check} ${found}`);

describe('the check of a log on Kafka', () => {
  it('names what brokers are set to, and makes no topic', async () => {
    const on = new LogOnKafka(kafka);
    expect(await brief(on)).toEqual(['error transaction.max.timeout.ms 5000', 'warning min.insync.replicas 1']);
    expect(await on.admin((admin) => admin.listTopics())).toEqual([]);
    await on.close();
  });

  it('names what its topics would lose, and how few copies there are', async () => {
    const on = new LogOnKafka(kafka);
    await on.open().identity();
    await on.set(on.topic('orders'), 'retention.ms', '1000');
    expect(await brief(on)).toEqual([
      `error topic ${on.topic('orders')} retention.ms=1000`,
      'warning replication factor 1',
      'error transaction.max.timeout.ms 5000',
      'warning min.insync.replicas 1',
    ]);
    await on.close();
  });

  it('names a cluster that cannot be reached', async () => {
    const on = new LogOnKafka(kafka);
    expect(await brief(on, { brokers: ['127.0.0.1:1'] })).toEqual([
      expect.stringMatching(/^error log BNY-LOG-UNREACHABLE: .*127\.0\.0\.1:1/),
    ]);
  });
});
