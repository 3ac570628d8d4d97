import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Kafka, startKafka } from '../../scripts/lib/kafka.ts';
import { collect, event, LogOnKafka, readAll } from './test-support.ts';

let kafka: Kafka;
beforeAll(async () => {
  kafka = await startKafka();
});
afterAll(() => kafka.stop());

describe('the topics of a log on Kafka', () => {
  let on: LogOnKafka;
  beforeEach(() => {
    on = new LogOnKafka(kafka);
  });
  afterEach(() => on.close());

  it('are made by the first of several that open it at once', async () => {
    const [first, second] = await Promise.all([on.open().identity(), on.open().identity()]);
    expect(first).toBe(second);
  });

  it('cannot be made with more copies than there are brokers, and the error says so', async () => {
    await expect(on.open({ replicationFactor: 3 }).identity()).rejects.toMatchObject({
      code: 'BNY-LOG-UNREACHABLE',
      found: expect.stringContaining('INVALID_REPLICATION_FACTOR'),
    });
  });
});

describe('a log on Kafka refuses a topic', () => {
  let on: LogOnKafka;
  beforeEach(async () => {
    on = new LogOnKafka(kafka);
    const writer = await on.open().writer('emitter');
    await writer.append([event('orders', 'a', 1), event('orders', 'a', 2)], { position: '1' });
    await writer.close();
  });
  afterEach(() => on.close());

  it.each([
    ['whose events expire', 'retention.ms', '604800000'],
    ['that is cut to a size', 'retention.bytes', '1000000'],
    ['that keeps only the newest event of a key', 'cleanup.policy', 'compact'],
    ['that takes no event of a usual size', 'max.message.bytes', '100000'],
    ['that packs its events', 'compression.type', 'gzip'],
  ])('%s', async (_, setting, value) => {
    await on.set(on.topic('orders'), setting, value);
    await expect(on.open().identity()).rejects.toMatchObject({
      code: 'BNY-LOG-TOPIC',
      found: `${on.topic('orders')}: ${setting}=${value}`,
    });
  });

  it('of checkpoints that is not compacted', async () => {
    await on.set(on.topic('banyan.checkpoint.emitter'), 'cleanup.policy', 'delete');
    await expect(on.open().identity()).rejects.toMatchObject({ code: 'BNY-LOG-TOPIC' });
  });

  it('whose number of partitions was changed by hand', async () => {
    await on.admin((admin) => admin.createPartitions({ topicPartitions: [{ topic: on.topic('orders'), count: 2 }] }));
    await expect(on.open().identity()).rejects.toMatchObject({
      code: 'BNY-LOG-PARTITIONS',
      found: `topic ${on.topic('orders')} has 2`,
    });
  });

  it('that was deleted and made anew, whether it is written or read', async () => {
    const log = on.open();
    const [first] = await readAll(log);
    await on.admin((admin) => admin.deleteTopics({ topics: [on.topic('orders')] }));
    const again = on.open();
    await expect(again.writer('emitter')).rejects.toMatchObject({ code: 'BNY-LOG-ANOTHER' });
    const cursor = { offset: first?.offset ?? 0, id: first?.id ?? '' };
    const read = again.read({ orders: [cursor] }, { follow: false })[Symbol.asyncIterator]();
    await expect(read.next()).rejects.toMatchObject({ code: 'BNY-LOG-ANOTHER' });
  });

  it('whose beginning has been deleted, to whom it matters', async () => {
    const log = on.open();
    const [first, second] = await readAll(log);
    const partitions = [{ partition: 0, offset: '1' }];
    await on.admin(async (admin) => {
      // It deletes nothing of topics of which it has not heard.
      await admin.fetchTopicOffsets(on.topic('orders'));
      await admin.deleteTopicRecords({ topic: on.topic('orders'), partitions });
    });
    await expect(readAll(log)).rejects.toMatchObject({ code: 'BNY-LOG-FORGETS' });
    const cursor = { offset: second?.offset ?? 0, id: second?.id ?? '' };
    const behind = log.read({ orders: [cursor] }, { follow: false });
    expect(await collect(behind)).toEqual([]);
    const forgotten = log.read({ orders: [{ offset: first?.offset ?? 0, id: 'other' }] }, { follow: false });
    await expect(collect(forgotten)).rejects.toMatchObject({ code: 'BNY-LOG-ANOTHER' });
  });

  it('to which somebody else writes', async () => {
    const producer = on.client.producer();
    await producer.connect();
    await producer.send({ topic: on.topic('orders'), messages: [{ key: 'k', value: 'v' }] });
    await producer.disconnect();
    await expect(readAll(on.open())).rejects.toMatchObject({
      code: 'BNY-LOG-FOREIGN',
      found: expect.stringContaining('no header ce_id'),
    });
  });

  it('in which events are missing', async () => {
    const producer = on.client.producer();
    await producer.connect();
    const [last] = (await readAll(on.open())).slice(-1);
    const ce = { ce_id: 'x', ce_type: 'T', ce_time: 't', ce_source: 's', ce_typeversion: '1', ce_epoch: '0' };
    const headers = { ...ce, ce_writer: 'emitter', ce_sequence: String((last?.sequence ?? 0) + 2) };
    await producer.send({ topic: on.topic('orders'), messages: [{ key: 'k', value: '{}', headers }] });
    await producer.disconnect();
    await expect(readAll(on.open())).rejects.toMatchObject({ code: 'BNY-LOG-GAP' });
  });
});
