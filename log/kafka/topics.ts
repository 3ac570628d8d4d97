import kafkajs, { type Admin } from 'kafkajs';
import { logFault } from '../errors.ts';
import type { TopicOptions } from '../types.ts';
import { clusterFault } from './errors.ts';
import { kafkaFault } from './fault.ts';
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
/** What a topic is made for, and so what its brokers have to take at once. */
export const MESSAGE_BYTES = 8_388_608;

/** What a topic in Kafka has to be. */
export interface WantedTopic extends TopicOptions {
  /** The largest batch that it has to take, where that is more than an append can come to. */
  batchBytes?: number;
}

/** Every topic of a log by its name in Kafka. */
export function wantedTopics({ prefix = '', topics, writers }: KafkaLogOptions): Map<string, WantedTopic> {
  const wanted = new Map<string, WantedTopic>(
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
  wanted: ReadonlyMap<string, WantedTopic>,
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
  wanted: ReadonlyMap<string, WantedTopic>,
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
  // Those that another process makes at the same time count as made.
  await admin.createTopics({
    topics: missing.map(([topic, { partitions = 1, compacted = false }]) => ({
      topic,
      numPartitions: partitions,
      replicationFactor: replicationFactor ?? -1,
      configEntries: [...settings, { name: 'cleanup.policy', value: compacted ? 'compact' : 'delete' }],
    })),
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

export const PARTITIONS_CURE =
  'Set `partitions` of the domain back to what the topic was made with. Kafka cannot take away partitions that were added by hand: start with a new log (another `log.prefix`) and seed again.';

async function checkPartitions(admin: Admin, wanted: ReadonlyMap<string, WantedTopic>): Promise<void> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [...wanted.keys()] });
  for (const { name, partitions } of topics) {
    const needed = wanted.get(name)?.partitions ?? 1;
    if (partitions.length === needed) continue;
    throw logFault('BNY-LOG-PARTITIONS', {
      found: `topic ${name} has ${partitions.length}`,
      needed: `${needed}, as the configuration says`,
      cure: PARTITIONS_CURE,
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
const UNPACKED: Rule = {
  setting: 'compression.type',
  needed: 'producer or uncompressed',
  holds: (value) => value === 'producer' || value === 'uncompressed',
};

function rulesOf({ compacted, batchBytes = NEEDED_BYTES }: WantedTopic): readonly Rule[] {
  const takes: Rule = {
    setting: 'max.message.bytes',
    needed: `at least ${batchBytes}`,
    holds: (value) => Number(value) >= batchBytes,
  };
  return [...(compacted ? COMPACTS : KEEPS), takes, UNPACKED];
}

export interface WrongSetting {
  topic: string;
  setting: string;
  value: string;
  needed: string;
}

/** Of each topic what it is set to now, by itself or by its brokers. */
export type TopicSettings = ReadonlyMap<string, ReadonlyMap<string, { value: string; ofTopic: boolean }>>;

export async function settingsOf(admin: Admin, topics: readonly string[]): Promise<TopicSettings> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  });
  const ofTopic = kafkajs.ConfigSource.TOPIC_CONFIG;
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(
        configEntries.map(({ configName, configValue, configSource }) => [
          configName,
          { value: configValue, ofTopic: configSource === ofTopic },
        ]),
      ),
    ]),
  );
}

export function wrongSettings(wanted: ReadonlyMap<string, WantedTopic>, settings: TopicSettings): WrongSetting[] {
  return [...wanted].flatMap(([topic, options]) =>
    rulesOf(options).flatMap(({ setting, needed, holds }) => {
      const value = settings.get(topic)?.get(setting)?.value ?? '';
      return holds(value) ? [] : [{ topic, setting, value, needed }];
    }),
  );
}

/** @throws BNY-LOG-TOPIC naming every setting that is wrong */
async function checkSettings(admin: Admin, wanted: ReadonlyMap<string, WantedTopic>): Promise<void> {
  const wrong = wrongSettings(wanted, await settingsOf(admin, [...wanted.keys()]));
  if (wrong.length === 0) return;
  throw clusterFault('BNY-LOG-TOPIC', {
    found: wrong.map(({ topic, setting, value }) => `${topic}: ${setting}=${value}`).join(', '),
    needed: [...new Set(wrong.map(({ setting, needed }) => `${setting} ${needed}`))].join(', '),
  });
}
