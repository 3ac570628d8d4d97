import { TRANSACTION_TIMEOUT_MS } from './producer.ts';
import { MESSAGE_BYTES } from './topics.ts';

/** Something about a cluster that keeps a log from being safe there, or puts it at risk. */
export interface LogFinding {
  check: string;
  level: 'error' | 'warning';
  found: string;
  needed: string;
  cure: string;
}

export function brokerFindings(settings: ReadonlyMap<string, string>): LogFinding[] {
  const rules: { setting: string; level: LogFinding['level']; holds(value: string): boolean; needed: string }[] = [
    {
      setting: 'transaction.max.timeout.ms',
      level: 'error',
      holds: (value) => Number(value) >= TRANSACTION_TIMEOUT_MS,
      needed: `at least ${TRANSACTION_TIMEOUT_MS}, the time-out of a writer's transaction`,
    },
    {
      setting: 'socket.request.max.bytes',
      level: 'error',
      holds: (value) => Number(value) >= 2 * MESSAGE_BYTES,
      needed: `at least ${2 * MESSAGE_BYTES}: a request with the largest batch that a topic takes`,
    },
    {
      setting: 'unclean.leader.election.enable',
      level: 'error',
      holds: (value) => value !== 'true',
      needed: UNCLEAN,
    },
    {
      setting: 'min.insync.replicas',
      level: 'warning',
      holds: (value) => Number(value) >= 2,
      needed: IN_MEMORY,
    },
  ];
  return rules.flatMap(({ setting, level, holds, needed }) => {
    const value = settings.get(setting);
    if (value === undefined || holds(value)) return [];
    return [{ check: setting, level, found: value, needed, cure: `Set ${setting} of the brokers.` }];
  });
}

export const UNCLEAN = 'false: a broker that lags must not become leader and forget what was confirmed';
export const IN_MEMORY = '2: with 1, an event is confirmed as soon as a single broker has it in memory';

/** Requests that are used, by their number in the protocol, with the version that each needs: those of Kafka 2.3. */
const NEEDED = { Produce: [0, 7], Fetch: [1, 11], AddPartitionsToTxn: [24, 1], EndTxn: [26, 1] } as const;

export type Versions = Readonly<Record<number, { maxVersion: number } | undefined>>;

export function tooOld(versions: Versions): LogFinding[] {
  const lacking = Object.entries(NEEDED).filter(([, [key, needed]]) => (versions[key]?.maxVersion ?? -1) < needed);
  if (lacking.length === 0) return [];
  const found = lacking.map(([name, [key]]) => `${name} up to version ${versions[key]?.maxVersion ?? 'none'}`);
  const needed = `Kafka 2.3 or newer: ${lacking.map(([name, [, version]]) => `${name} ${version}`).join(', ')}`;
  return [{ check: 'version', level: 'error', found: found.join(', '), needed, cure: 'Update the brokers.' }];
}
