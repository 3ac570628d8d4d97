import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { openBinlogSource } from '../../cdc/binlog/index.ts';
import { type CapturedTables, EMITTER, type Source } from '../../cdc/index.ts';
import {
  ControlFold,
  Doorbell,
  type EventLog,
  type KafkaSettings,
  openKafkaLog,
  openSqliteLog,
  readControlState,
  relayDoorbell,
  type Topics,
  topicsFor,
} from '../../log/index.ts';
import { type Lock, takeLock } from '../../services/kit/store/sqlite/lock.ts';
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
