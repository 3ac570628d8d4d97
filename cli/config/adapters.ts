import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { openBinlogSource } from '../../cdc/binlog/index.ts';
import { type CapturedTables, EMITTER, type Source } from '../../cdc/index.ts';
import {
  CONTROL_TOPIC,
  ControlFold,
  type Copied,
  checkKafka,
  copyToKafka,
  Doorbell,
  type EventLog,
  type KafkaSettings,
  type LogFinding,
  openKafkaLog,
  openSqliteLog,
  readControlState,
  relayDoorbell,
  type Topics,
  topicsFor,
} from '../../log/index.ts';
import { type Lock, takeLock } from '../../services/kit/store/sqlite/lock.ts';
import { cliFault } from '../errors.ts';
import { logFile } from './places.ts';
import type { Config } from './schema.ts';

/** What a configuration opens. The commands know the ports; the adapters behind them are chosen here and nowhere else. */
export function openSource(config: Config, logger: Logger): Source {
  const { database, banyanSchema } = config.monolith;
  const { schema, ...connection } = database;
  const tables: CapturedTables = Object.assign({}, ...config.domains.map((domain) => domain.tables));
  return openBinlogSource({
    connection,
    schema,
    tables,
    alsoFollow: {
      schema: banyanSchema,
      tables: {
        heartbeat: { key: ['id'], columns: ['id', 'beat'] },
        watermark: { key: ['domain'], columns: ['domain', 'chunk', 'edge'] },
      },
    },
    logger,
  });
}

/** A log that can copy itself to a file while it is in use. Not every one can. */
export interface Backup {
  backup(to: string): Promise<void>;
}

/** The log of a configuration, its doorbell connected with the other threads and processes. */
export function openLog(config: Config, options: { writerThread?: boolean } = {}): EventLog & Partial<Backup> {
  if (config.log.kind === 'kafka') {
    return openKafkaLog({ ...kafkaSettings(config), topics: topicsOf(config), writers: [EMITTER] });
  }
  const doorbell = new Doorbell();
  relayDoorbell(doorbell);
  return openSqliteLog({ file: logFile(config), topics: topicsOf(config), doorbell, ...options });
}

function kafkaSettings({ log }: Config): KafkaSettings {
  const { brokers = '', prefix, replicationFactor, tls, sasl } = log;
  return { brokers: brokers.split(','), prefix, replicationFactor, ssl: tls, sasl };
}

/**
 * Copies the log in the data folder to the one of the configuration, at the same offsets.
 *
 * @throws BNY-CLI-REFUSED when there is nothing to copy, or nowhere
 */
export async function copyLog(
  config: Config,
  onProgress: (events: number, of: number) => void,
  signal: AbortSignal,
): Promise<Copied> {
  const refusal =
    config.log.kind !== 'kafka'
      ? {
          found: '`log.kind` is sqlite',
          needed: 'the new log in the configuration: `log.kind` kafka, and `log.brokers`',
        }
      : !existsSync(logFile(config)) && { found: `no ${logFile(config)}`, needed: 'a log to copy' };
  if (refusal) throw cliFault('BNY-CLI-REFUSED', { ...refusal, cure: 'docs/kafka.md' });
  const topics = topicsOf(config);
  const from = openSqliteLog({ file: logFile(config), topics });
  try {
    const ends = Object.values(await from.ends(Object.keys(topics).filter((topic) => !topics[topic]?.compacted)));
    const total = ends.flat().reduce((sum, end) => sum + end + 1, 0);
    const to = { ...kafkaSettings(config), topics, writers: [EMITTER] };
    const posted = [CONTROL_TOPIC];
    return await copyToKafka({ from, to, writer: EMITTER, posted, onProgress: (n) => onProgress(n, total), signal });
  } finally {
    await from.close();
  }
}

/** What is wrong with where the log is kept, or at risk there. A file is checked when it is opened. */
export async function checkLog(config: Config): Promise<LogFinding[]> {
  if (config.log.kind === 'sqlite') return [];
  return checkKafka({ ...kafkaSettings(config), topics: topicsOf(config), writers: [EMITTER] });
}

/** @throws BNY-CLI-REFUSED when there is a log in the data folder whose events the log of the configuration lacks */
export async function refuseForgotten(config: Config, log: EventLog): Promise<void> {
  if (config.log.kind === 'sqlite' || !existsSync(logFile(config)) || (await log.checkpoint(EMITTER))) return;
  throw cliFault('BNY-CLI-REFUSED', {
    found: `${logFile(config)}, and a log in the configuration without anything of it`,
    needed: 'one log',
    cure: 'banyan log copy --to kafka; or move the file away to begin anew',
  });
}

export function topicsOf({ domains }: Pick<Config, 'domains'>): Topics {
  return topicsFor(Object.fromEntries(domains.map(({ name, partitions }) => [name, { partitions }])));
}

/** The control state as it stands; of a log that is not there yet nothing. Makes no log. */
export async function controlOf(config: Config): Promise<ControlFold> {
  if (config.log.kind === 'sqlite' && !existsSync(logFile(config))) return new ControlFold();
  const log = openLog(config);
  return readControlState(log).finally(() => log.close());
}

/** The right to run everything on a data folder. Undefined while another has it. */
export function lockData({ data }: Config): Lock | undefined {
  return takeLock(join(data, 'up.lock'));
}
