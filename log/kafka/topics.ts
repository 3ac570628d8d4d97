import kafkajs, { type Admin } from 'kafkajs';
import { logFault } from '../errors.ts';
import type { TopicOptions } from '../types.ts';
import { clusterFault } from './errors.ts';
import { kafkaFault, typeOf } from './fault.ts';
import type { KafkaLogOptions } from './log.ts';
import { patiently } from './patience.ts';
import type { KafkaSettings } from './settings.ts';
import { REQUEST_TIMEOUT_MS, Wire } from './wire.ts';

/** Holds what tells one log from another. */
export const IDENTITY_TOPIC = 'banyan.identity';

/** One a writer: another writer's open transaction must not hide its checkpoints. */
export function checkpointTopic(prefix: string, writer: string): string {
  return `${prefix}banyan.checkpoint.${writer}`;
}

/** The largest batch that an append can come to: 1 MB of data in UTF-8, with the headers of 1,000 events. */
const NEEDED_BYTES = 4_000_000;
const MESSAGE_BYTES = 8_388_608;

/** Every topic of a log by its name in Kafka. */
export function wantedTopics({ prefix = '', topics, writers }: KafkaLogOptions): Map<string, TopicOptions> {
  const wanted = new Map<string, TopicOptions>(
    Object.entries(topics).map(([topic, options]) => [prefix + topic, options]),
  );
  wanted.set(prefix + IDENTITY_TOPIC, {});
  for (const writer of writers) wanted.set(checkpointTopic(prefix, writer), { compacted: true });
  return wanted;
}

/**
 * Makes those that are missing, and refuses those that would lose or reorder something. Returns whether it made any.
 *
 * @throws BNY-LOG-PARTITIONS, BNY-LOG-TOPIC
 */
export async function ensureTopics(
  settings: KafkaSettings,
  wanted: ReadonlyMap<string, TopicOptions>,
): Promise<boolean> {
  const where = settings.brokers.join(',');
  const admin = adminOf(settings);
  try {
    await admin.connect();
    const made = await make(admin, settings, wanted);
    await checkPartitions(admin, wanted);
    await checkSettings(admin, wanted);
    if (made.length > 0) await leadersOf(settings, made);
    return made.length > 0;
  } catch (error) {
    throw kafkaFault(error, where);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

export function adminOf({ brokers, clientId = 'banyan', ssl, sasl }: KafkaSettings): Admin {
  return new kafkajs.Kafka({
    brokers: [...brokers],
    clientId,
    ...(ssl !== undefined && { ssl }),
    ...(sasl && { sasl: sasl as { mechanism: 'plain'; username: string; password: string } }),
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 5000,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: { retries: 2, initialRetryTime: 100 },
  }).admin();
}

async function make(
  admin: Admin,
  { replicationFactor }: KafkaSettings,
  wanted: ReadonlyMap<string, TopicOptions>,
): Promise<{ topic: string; partition: number }[]> {
  const there = new Set(await admin.listTopics());
  const missing = [...wanted].filter(([topic]) => !there.has(topic));
  if (missing.length === 0) return [];
  const settings = Object.entries({
    'retention.ms': '-1',
    'retention.bytes': '-1',
    'max.message.bytes': String(MESSAGE_BYTES),
    'compression.type': 'producer',
  }).map(([name, value]) => ({ name, value }));
  await admin
    .createTopics({
      topics: missing.map(([topic, { partitions = 1, compacted = false }]) => ({
        topic,
        numPartitions: partitions,
        replicationFactor: replicationFactor ?? -1,
        configEntries: [...settings, { name: 'cleanup.policy', value: compacted ? 'compact' : 'delete' }],
      })),
    })
    .catch((error: unknown) => {
      // Another process makes the same ones.
      if (typeOf(error) !== 'TOPIC_ALREADY_EXISTS' && !/already exists/i.test(String(error))) throw error;
    });
  return missing.flatMap(([topic, { partitions = 1 }]) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  );
}

/** A broker that is named as leader of a new partition may not know of it yet, and refuses to write. */
async function leadersOf(settings: KafkaSettings, places: { topic: string; partition: number }[]): Promise<void> {
  await patiently(settings.brokers.join(','), async () => {
    const wire = await Wire.open(
      settings,
      places.map(({ topic }) => topic),
    );
    await wire.offsets(places, 'stable').finally(() => wire.close());
  });
}

async function checkPartitions(admin: Admin, wanted: ReadonlyMap<string, TopicOptions>): Promise<void> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [...wanted.keys()] });
  for (const { name, partitions } of topics) {
    const needed = wanted.get(name)?.partitions ?? 1;
    if (partitions.length === needed) continue;
    throw logFault('BNY-LOG-PARTITIONS', {
      found: `topic ${name} has ${partitions.length}`,
      needed: `${needed}, as the configuration says`,
    });
  }
}

interface Rule {
  setting: string;
  needed: string;
  holds(value: string): boolean;
}

const KEEPS: readonly Rule[] = [
  { setting: 'retention.ms', needed: '-1', holds: (value) => value === '-1' },
  { setting: 'retention.bytes', needed: '-1', holds: (value) => value === '-1' },
  { setting: 'cleanup.policy', needed: 'delete', holds: (value) => value === 'delete' },
];
const COMPACTS: readonly Rule[] = [
  { setting: 'cleanup.policy', needed: 'compact', holds: (value) => value === 'compact' },
];
const ALWAYS: readonly Rule[] = [
  {
    setting: 'max.message.bytes',
    needed: `at least ${NEEDED_BYTES}`,
    holds: (value) => Number(value) >= NEEDED_BYTES,
  },
  {
    setting: 'compression.type',
    needed: 'producer or uncompressed',
    holds: (value) => value === 'producer' || value === 'uncompressed',
  },
];

export interface WrongSetting {
  topic: string;
  setting: string;
  value: string;
  needed: string;
}

export async function wrongSettings(admin: Admin, wanted: ReadonlyMap<string, TopicOptions>): Promise<WrongSetting[]> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [...wanted.keys()].map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  });
  return resources.flatMap(({ resourceName, configEntries }) => {
    const rules = [...(wanted.get(resourceName)?.compacted ? COMPACTS : KEEPS), ...ALWAYS];
    return rules.flatMap(({ setting, needed, holds }) => {
      const value = configEntries.find(({ configName }) => configName === setting)?.configValue ?? '';
      return holds(value) ? [] : [{ topic: resourceName, setting, value, needed }];
    });
  });
}

/** @throws BNY-LOG-TOPIC naming every setting that is wrong */
async function checkSettings(admin: Admin, wanted: ReadonlyMap<string, TopicOptions>): Promise<void> {
  const wrong = await wrongSettings(admin, wanted);
  if (wrong.length === 0) return;
  throw clusterFault('BNY-LOG-TOPIC', {
    found: wrong.map(({ topic, setting, value }) => `${topic}: ${setting}=${value}`).join(', '),
    needed: [...new Set(wrong.map(({ setting, needed }) => `${setting} ${needed}`))].join(', '),
  });
}
