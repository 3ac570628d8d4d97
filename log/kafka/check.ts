import kafkajs, { type Admin } from 'kafkajs';
import { brokerFindings, type LogFinding, tooOld, type Versions } from './check-brokers.ts';
import { topicFindings } from './check-topics.ts';
import { kafkaFault } from './fault.ts';
import type { KafkaLogOptions } from './log.ts';
import { adminOf, type WantedTopic, wantedTopics } from './topics.ts';
import { Wire } from './wire.ts';

/**
 * Everything at once. Makes no topic: what is not there yet will be made as it should be. `others`: topics that others
 * fill for Banyan.
 */
export async function checkKafka(
  options: KafkaLogOptions,
  others: ReadonlyMap<string, WantedTopic> = new Map(),
): Promise<LogFinding[]> {
  const where = options.brokers.join(',');
  const admin = adminOf(options);
  try {
    const old = tooOld(await versionsOf(options));
    if (old.length > 0) return old;
    await admin.connect();
    const wanted = new Map([...wantedTopics(options), ...others]);
    const there = new Set(await admin.listTopics());
    const existing = new Map([...wanted].filter(([topic]) => there.has(topic)));
    const { brokers, settings } = await brokerSettings(admin);
    const copies = Number(options.replicationFactor ?? settings.get('default.replication.factor'));
    const topics = existing.size > 0 ? await topicFindings(admin, existing) : { findings: [], fewestCopies: copies };
    return [
      ...topics.findings,
      ...(existing.size < wanted.size ? tooFewBrokers(copies, brokers) : []),
      ...replicationFinding(topics.fewestCopies),
      ...brokerFindings(settings),
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

/** Of copies that nobody tells the number of, nothing can be said. */
function tooFewBrokers(copies: number, brokers: number): LogFinding[] {
  if (Number.isNaN(copies) || copies <= brokers) return [];
  return [
    {
      check: 'replication factor',
      level: 'error',
      found: `${copies} copies of each topic, and ${brokers} broker${brokers === 1 ? '' : 's'}`,
      needed: 'a broker for each copy, or no topic can be made',
      cure: 'Start the others, or set `log.replicationFactor` to as many as there are.',
    },
  ];
}

function replicationFinding(copies: number): LogFinding[] {
  if (Number.isNaN(copies) || copies >= 3) return [];
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
async function brokerSettings(admin: Admin): Promise<{ brokers: number; settings: ReadonlyMap<string, string> }> {
  const { brokers } = await admin.describeCluster();
  const name = String(brokers[0]?.nodeId);
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.BROKER, name }],
  });
  const entries = resources.flatMap(({ configEntries }) => configEntries);
  return {
    brokers: brokers.length,
    settings: new Map(entries.map(({ configName, configValue }) => [configName, configValue])),
  };
}

async function versionsOf(options: KafkaLogOptions): Promise<Versions> {
  const wire = await Wire.open(options, []);
  return wire.versions().finally(() => wire.close());
}
