import { randomUUID } from 'node:crypto';
import kafkajs, { type Kafka as Client } from 'kafkajs';
import type { Kafka } from '../../scripts/lib/kafka.ts';
import type { EventLog, LoggedEvent, NewEvent, Topics } from '../types.ts';
import { type KafkaLogOptions, openKafkaLog } from './log.ts';

export const TOPICS: Topics = { orders: {}, parcels: { partitions: 4 } };

/** A log of its own on a broker that several share. */
export class LogOnKafka {
  readonly options: KafkaLogOptions;
  readonly client: Client;
  readonly #opened: EventLog[] = [];

  constructor(kafka: Kafka) {
    const prefix = `${randomUUID().slice(0, 8)}.`;
    this.options = { brokers: [kafka.brokers], prefix, topics: TOPICS, writers: ['emitter'] };
    const retry = { retries: 10, initialRetryTime: 50 };
    this.client = new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING, retry });
  }

  /** As Kafka names it. */
  topic(name: string): string {
    return this.options.prefix + name;
  }

  open(options: Partial<KafkaLogOptions> = {}): EventLog {
    const log = openKafkaLog({ ...this.options, ...options });
    this.#opened.push(log);
    return log;
  }

  async admin<T>(action: (admin: ReturnType<Client['admin']>) => Promise<T>): Promise<T> {
    const admin = this.client.admin();
    await admin.connect();
    return action(admin).finally(() => admin.disconnect());
  }

  async set(topic: string, name: string, value: string): Promise<void> {
    // All of them: what is not named goes back to its default.
    const settings = { 'retention.ms': '-1', 'retention.bytes': '-1', 'max.message.bytes': '8388608', [name]: value };
    const configEntries = Object.entries(settings).map(([key, each]) => ({ name: key, value: each }));
    const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries };
    await this.admin((admin) => admin.alterConfigs({ validateOnly: false, resources: [resource] }));
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.map((log) => log.close()));
  }
}

export function event(topic: string, key: string, n: number): NewEvent {
  return {
    topic,
    key,
    id: `${topic}-${n}`,
    type: 'Happened',
    version: 1,
    time: '2026-01-01T00:00:00.000Z',
    data: JSON.stringify({ n }),
    origin: 'monolith',
    epoch: 0,
  };
}

export const start = (partitions: number) => Array.from({ length: partitions }, () => ({ offset: -1, id: '' }));

export async function collect(batches: AsyncIterable<LoggedEvent[]>): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  for await (const batch of batches) events.push(...batch);
  return events;
}

export function readAll(log: EventLog, topic = 'orders'): Promise<LoggedEvent[]> {
  return collect(log.read({ [topic]: start(TOPICS[topic]?.partitions ?? 1) }, { follow: false }));
}
