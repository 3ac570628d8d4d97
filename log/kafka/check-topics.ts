import type { Admin } from 'kafkajs';
import { IN_MEMORY, type LogFinding, UNCLEAN } from './check-brokers.ts';
import { PARTITIONS_CURE, settingsOf, type TopicSettings, type WantedTopic, wrongSettings } from './topics.ts';

interface Standing {
  name: string;
  partitions: number;
  /** Of the partition that has the fewest. */
  copies: number;
}

/** What is wrong with topics as they stand now, also with what was set on them by hand after they were made. */
export async function topicFindings(
  admin: Admin,
  wanted: ReadonlyMap<string, WantedTopic>,
): Promise<{ findings: LogFinding[]; fewestCopies: number }> {
  const settings = await settingsOf(admin, [...wanted.keys()]);
  const { topics } = await admin.fetchTopicMetadata({ topics: [...wanted.keys()] });
  const standing = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.length,
    copies: Math.min(...partitions.map(({ replicas }) => replicas.length)),
  }));
  const wrong = wrongSettings(wanted, settings).map(({ topic, setting, value, needed }) =>
    settingFinding(topic, 'error', setting, value, needed),
  );
  const findings = [
    ...wrong,
    ...standing.flatMap((each) => partitionFinding(each, wanted.get(each.name)?.partitions ?? 1)),
    ...standing.flatMap((each) => copiesFindings(each, settings)),
  ];
  return { findings, fewestCopies: Math.min(...standing.map(({ copies }) => copies)) };
}

function settingFinding(
  topic: string,
  level: LogFinding['level'],
  setting: string,
  value: string,
  needed: string,
): LogFinding {
  const cure = `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${setting}=…`;
  return { check: `topic ${topic}`, level, found: `${setting}=${value}`, needed, cure };
}

function partitionFinding({ name, partitions }: Standing, needed: number): LogFinding[] {
  if (partitions === needed) return [];
  const found = `${partitions} partitions`;
  const says = `${needed}, as the configuration says`;
  return [{ check: `topic ${name}`, level: 'error', found, needed: says, cure: PARTITIONS_CURE }];
}

/** What brokers say of all their topics is told of them, not of each topic. */
function copiesFindings({ name, copies }: Standing, settings: TopicSettings): LogFinding[] {
  const minimum = settings.get(name)?.get('min.insync.replicas');
  const unclean = settings.get(name)?.get('unclean.leader.election.enable');
  const findings: LogFinding[] = [];
  if (Number(minimum?.value) > copies) {
    const needed = `at most ${copies}, as many as there are copies: with more no event can be written`;
    findings.push(settingFinding(name, 'error', 'min.insync.replicas', minimum?.value ?? '', needed));
  } else if (minimum?.ofTopic && Number(minimum.value) < 2) {
    findings.push(settingFinding(name, 'warning', 'min.insync.replicas', minimum.value, IN_MEMORY));
  }
  if (unclean?.ofTopic && unclean.value === 'true') {
    findings.push(settingFinding(name, 'error', 'unclean.leader.election.enable', 'true', UNCLEAN));
  }
  return findings;
}
