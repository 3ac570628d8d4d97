import kafkajs, { type Admin } from 'kafkajs';
import type { TopicOptions } from '../types.ts';
import { kafkaFault } from './fault.ts';
import type { KafkaLogOptions } from './log.ts';
import { TRANSACTION_TIMEOUT_MS } from './producer.ts';
import { adminOf, wantedTopics, wrongSettings } from './topics.ts';
import { Wire } from './wire.ts';

/** Something about a cluster that keeps a log from being safe there, or puts it at risk. */
export interface LogFinding {
  check: string;
  level: 'error' | 'warning';
  found: string;
  needed: string;
  cure: string;
}

/** Everything at once. Makes no topic: what is not there yet will be made as it should be. */
export async function checkKafka(options: KafkaLogOptions): Promise<LogFinding[]> {
  const where = options.brokers.join(',');
  const admin = adminOf(options);
  try {
    const old = tooOld(await versionsOf(options));
    if (old.length > 0) return old;
    await admin.connect();
    const wanted = wantedTopics(options);
    const there = new Set(await admin.listTopics());
    const existing = new Map([...wanted].filter(([topic]) => there.has(topic)));
    return [
      ...(existing.size > 0 ? await topicFindings(admin, existing) : []),
      ...brokerFindings(await brokerSettings(admin)),
    ];
  } catch (error) {
    const { code, found = '', needed, cure } = kafkaFault(error, where);
    return [
      { check: 'log', level: 'error', found: `${code}: ${found}`, needed: needed ?? 'a cluster that answers', cure },
    ];
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

async function topicFindings(admin: Admin, topics: Map<string, TopicOptions>): Promise<LogFinding[]> {
  const wrong = (await wrongSettings(admin, topics)).map(
    ({ topic, setting, value, needed }): LogFinding => ({
      check: `topic ${topic}`,
      level: 'error',
      found: `${setting}=${value}`,
      needed,
      cure: `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${setting}=…`,
    }),
  );
  const { topics: metadata } = await admin.fetchTopicMetadata({ topics: [...topics.keys()] });
  const fewest = Math.min(...metadata.flatMap(({ partitions }) => partitions.map(({ replicas }) => replicas.length)));
  return fewest >= 3 ? wrong : [...wrong, ...replicationFinding(fewest)];
}

function replicationFinding(copies: number): LogFinding[] {
  return [
    {
      check: 'replication factor',
      level: 'warning',
      found: `${copies}`,
      needed: '3: with fewer, the loss of a broker can be the loss of events that were confirmed',
      cure: 'Set `log.replicationFactor` to 3 before the topics are made; afterwards kafka-reassign-partitions.sh.',
    },
  ];
}

/** By name, of one broker; the others are taken to be like it. */
async function brokerSettings(admin: Admin): Promise<ReadonlyMap<string, string>> {
  const { brokers } = await admin.describeCluster();
  const name = String(brokers[0]?.nodeId);
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.BROKER, name }],
  });
  return new Map(
    resources.flatMap(({ configEntries }) => configEntries.map((each) => [each.configName, each.configValue])),
  );
}

export function brokerFindings(settings: ReadonlyMap<string, string>): LogFinding[] {
  const rules: { setting: string; level: 'error' | 'warning'; holds(value: string): boolean; needed: string }[] = [
    {
      setting: 'transaction.max.timeout.ms',
      level: 'error',
      holds: (value) => Number(value) >= TRANSACTION_TIMEOUT_MS,
      needed: `at least ${TRANSACTION_TIMEOUT_MS}, the time-out of a writer's transaction`,
    },
    {
      setting: 'unclean.leader.election.enable',
      level: 'error',
      holds: (value) => value !== 'true',
      needed: 'false: a broker that lags must not become leader and forget what was confirmed',
    },
    {
      setting: 'min.insync.replicas',
      level: 'warning',
      holds: (value) => Number(value) >= 2,
      needed: '2: with 1, an event is confirmed as soon as a single broker has it in memory',
    },
  ];
  return rules.flatMap(({ setting, level, holds, needed }) => {
    const value = settings.get(setting);
    if (value === undefined || holds(value)) return [];
    return [{ check: setting, level, found: value, needed, cure: `Set ${setting} of the brokers.` }];
  });
}

/** Requests that are used, by their number in the protocol, with the version that each needs: those of Kafka 2.3. */
const NEEDED = { Produce: [0, 7], Fetch: [1, 11], AddPartitionsToTxn: [24, 1], EndTxn: [26, 1] } as const;

type Versions = Readonly<Record<number, { maxVersion: number } | undefined>>;

async function versionsOf(options: KafkaLogOptions): Promise<Versions> {
  const wire = await Wire.open(options, []);
  return wire.versions().finally(() => wire.close());
}

export function tooOld(versions: Versions): LogFinding[] {
  const lacking = Object.entries(NEEDED).filter(([, [key, needed]]) => (versions[key]?.maxVersion ?? -1) < needed);
  if (lacking.length === 0) return [];
  const found = lacking.map(([name, [key]]) => `${name} up to version ${versions[key]?.maxVersion ?? 'none'}`);
  const needed = `Kafka 2.3 or newer: ${lacking.map(([name, [, version]]) => `${name} ${version}`).join(', ')}`;
  return [{ check: 'version', level: 'error', found: found.join(', '), needed, cure: 'Update the brokers.' }];
}
