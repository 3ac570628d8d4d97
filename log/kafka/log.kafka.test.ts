import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { type Kafka, startKafka } from '../../scripts/lib/kafka.ts';
import { CONTRACT_TOPICS, testEventLog } from '../contract.ts';
import { openKafkaLog } from './log.ts';

let kafka: Kafka;
beforeAll(async () => {
  kafka = await startKafka();
}, 120_000);
afterAll(() => kafka?.stop());

testEventLog('the log on Kafka', async () => {
  const prefix = `${randomUUID().slice(0, 8)}.`;
  const open = () =>
    openKafkaLog({ brokers: [kafka.brokers], prefix, topics: CONTRACT_TOPICS, writers: ['emitter', 'one', 'two'] });
  const log = open();
  return { log, reopen: async () => open(), dispose: () => log.close() };
});
