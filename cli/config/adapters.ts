import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { openBinlogSource } from '../../cdc/binlog/index.ts';
import {
  applyConnector,
  type ConnectorStatus,
  connectorConfig,
  connectorStatus,
  connectorTopics,
  type DebeziumOptions,
  deleteConnector,
  openDebeziumSource,
  setBackConnector,
} from '../../cdc/debezium/index.ts';
import { type CapturedTables, EMITTER, type Finding, type Source } from '../../cdc/index.ts';
import {
  BanyanError,
  CONTROL_TOPIC,
  ControlFold,
  type Copied,
  checkKafka,
  copyToKafka,
  Doorbell,
  deadTopic,
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
import type { Domain } from '../../services/kit/index.ts';
import { writersOf } from '../../services/kit/processor/progress.ts';
import { checkServer } from '../../services/kit/store/mysql/check.ts';
import { isSameServer } from '../../services/kit/store/mysql/identity.ts';
import type { Server } from '../../services/kit/store/mysql/session.ts';
import { openMysqlStores } from '../../services/kit/store/mysql/stores.ts';
import { checkFolder } from '../../services/kit/store/sqlite/check.ts';
import { type Lock, takeLock } from '../../services/kit/store/sqlite/lock.ts';
import { openSqliteStores } from '../../services/kit/store/sqlite/stores.ts';
import type { Stores } from '../../services/kit/store/types.ts';
import { cliFault } from '../errors.ts';
import { mayForget, refuseForgotten, refuseOtherSource } from './forgotten.ts';
import { logFile, storeFile } from './places.ts';
import type { Config } from './schema.ts';

/** What a configuration opens. The commands know the ports; the adapters behind them are chosen here and nowhere else. */
export function openSource(config: Config, logger: Logger): Source {
  if (config.source.kind === 'debezium') return openDebeziumSource(debeziumOptions(config));
  return openBinlogSource({ ...captured(config), logger });
}

/** What is read of the monolith's database, by whatever source. */
function captured({ monolith, domains }: Config) {
  const { database, banyanSchema } = monolith;
  const { schema, ...connection } = database;
  const tables: CapturedTables = Object.assign({}, ...domains.map((domain) => domain.tables));
  const own: CapturedTables = {
    heartbeat: { key: ['id'], columns: ['id', 'beat'] },
    watermark: { key: ['domain'], columns: ['domain', 'chunk', 'edge'] },
  };
  return { connection, schema, tables, alsoFollow: { schema: banyanSchema, tables: own } };
}

function debeziumOptions(config: Config): DebeziumOptions {
  const { connectUrl = '', connector, serverId, brokers, host, port, user, password, extra } = config.source;
  const account = { host, port, user, password };
  const differing = Object.fromEntries(Object.entries(account).filter(([, value]) => value !== undefined));
  return {
    ...captured(config),
    kafka: kafkaSettings(config),
    connect: {
      url: connectUrl,
      account: differing,
      ...(connector !== undefined && { name: connector }),
      ...(serverId !== undefined && { serverId }),
      ...(brokers !== undefined && { brokers: brokers.split(',') }),
      ...(extra !== undefined && { extra }),
    },
  };
}

/** What captures outside of Banyan's own processes, and can be made and unmade from here. */
export interface Connector {
  name: string;
  plan: string[];
  apply(): Promise<{ changed: boolean }>;
  status(): Promise<ConnectorStatus>;
  remove(): Promise<boolean>;
  setBack(gtid: string): Promise<void>;
}

/** Undefined where the source has none. */
export function connectorOf(config: Config): Connector | undefined {
  if (config.source.kind !== 'debezium') return undefined;
  const options = debeziumOptions(config);
  const { 'table.include.list': tables, name = '' } = connectorConfig(options);
  return {
    name,
    plan: [
      `make the topic of changes and its schema history on ${config.log.brokers}, where they are missing`,
      `give Connect at ${options.connect.url} the connector ${name}; it follows ${tables}`,
    ],
    apply: () => applyConnector(options),
    status: () => connectorStatus(options),
    remove: () => deleteConnector(options),
    setBack: (gtid) => setBackConnector(options, gtid),
  };
}

/** Refuses before anything is started. A log that does not answer yet is for whoever opens it. @throws BNY-CLI-REFUSED */
export async function refuseUncopied(config: Config): Promise<void> {
  if (!mayForget(config)) return;
  try {
    await (await openLog(config)).close();
  } catch (error) {
    if (!BanyanError.is(error) || !error.retryable) throw error;
  }
}

/** A log that can copy itself to a file while it is in use. Not every one can. */
export interface Backup {
  backup(to: string): Promise<void>;
}

/**
 * The log of a configuration, its doorbell connected with the other threads and processes.
 *
 * @throws BNY-CLI-REFUSED when the log in the data folder has still to be copied to it
 */
export async function openLog(
  config: Config,
  options: { writerThread?: boolean } = {},
): Promise<EventLog & Partial<Backup>> {
  const topics = topicsOf(config);
  if (config.log.kind === 'kafka') {
    const log = openKafkaLog({ ...kafkaSettings(config), topics, writers: writersIn(config) });
    return refuseForgotten(config, log, () => openSqliteLog({ file: logFile(config), topics })).then(
      () => log,
      (error) => log.close().then(() => Promise.reject(error)),
    );
  }
  const doorbell = new Doorbell();
  relayDoorbell(doorbell);
  return openSqliteLog({ file: logFile(config), topics, doorbell, ...options });
}

function kafkaSettings({ log }: Config): KafkaSettings {
  const { brokers = '', prefix, replicationFactor, tls, sasl } = log;
  return { brokers: brokers.split(','), prefix, replicationFactor, ssl: tls, sasl };
}

/**
 * Copies the log in the data folder to the one of the configuration, at the same offsets.
 *
 * @throws BNY-CLI-REFUSED when there is nothing to copy, or nowhere, or it could not be gone on with there
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
  refuseOtherSource(config);
  const topics = topicsOf(config);
  const from = openSqliteLog({ file: logFile(config), topics });
  try {
    const ends = Object.values(await from.ends(Object.keys(topics).filter((topic) => !topics[topic]?.compacted)));
    const total = ends.flat().reduce((sum, end) => sum + end + 1, 0);
    const to = { ...kafkaSettings(config), topics, writers: writersIn(config) };
    const posted = [CONTROL_TOPIC, ...config.processors.map(({ name }) => deadTopic(name))];
    const told = (n: number) => onProgress(n, total);
    return await copyToKafka({ from, to, writer: EMITTER, posted, onProgress: told, signal });
  } finally {
    await from.close();
  }
}

/** What is wrong with where the log is kept, or at risk there. A file is checked when it is opened. */
export async function checkLog(config: Config): Promise<LogFinding[]> {
  if (config.log.kind === 'sqlite') return [];
  const options = { ...kafkaSettings(config), topics: topicsOf(config), writers: writersIn(config) };
  return checkKafka(options, config.source.kind === 'debezium' ? connectorTopics({ kafka: options }) : undefined);
}

type Parts = Pick<Config, 'domains'> & { processors?: Config['processors'] | undefined };

export function topicsOf({ domains, processors = [] }: Parts): Topics {
  return topicsFor(
    Object.fromEntries(domains.map(({ name, partitions }) => [name, { partitions }])),
    processors.map(({ name }) => name),
  );
}

/** Everybody who appends with a checkpoint. */
function writersIn(config: Pick<Config, 'domains' | 'processors'>): string[] {
  const topics = topicsOf(config);
  return [EMITTER, ...config.processors.flatMap((each) => writersOf(each, (topic) => topics[topic]?.partitions ?? 1))];
}

/** The stores of a domain, as they are built from this log. */
export function openStores(config: Config, { name: domain, projection }: Domain, logIdentity: string): Stores {
  const partitions = Object.fromEntries(config.domains.map((each) => [each.name, each.partitions]));
  const origin = { projection, logIdentity, partitions };
  const { store } = config.services;
  if (store.kind === 'sqlite')
    return openSqliteStores({ pathOf: (name) => storeFile(config, domain, name), ...origin });
  return openMysqlStores({ server: storeServer(config), prefix: store.prefix, domain, ...origin });
}

function storeServer({ services }: Config): Server {
  const { host = '', port, user, password, tls } = services.store;
  return { host, port, user, password, ssl: tls };
}

/** Whether the services keep their stores on the monolith's own server: that would carry both loads. */
export async function storesShareServer(config: Config): Promise<boolean> {
  if (config.services.store.kind === 'sqlite') return false;
  return isSameServer(storeServer(config), config.monolith.database);
}

/** What keeps the services from having their stores where the configuration says. Makes nothing. */
export async function checkStores(config: Config): Promise<Finding[]> {
  const { store } = config.services;
  const domains = config.domains.map(({ name }) => name);
  if (store.kind === 'sqlite') return checkFolder(dirname(storeFile(config, domains[0] ?? '', '1')));
  const findings = await checkServer({ server: storeServer(config), prefix: store.prefix, domains });
  if (!(await storesShareServer(config))) return findings;
  const found = `${store.host}:${store.port}, the monolith’s own server: it bears both loads`;
  const cure = 'Name another server in `services.store`.';
  return [...findings, { check: 'stores server', level: 'warning', found, needed: 'a server of their own', cure }];
}

/** The control state as it stands; of a log that is not there yet nothing. Makes no log. */
export async function controlOf(config: Config): Promise<ControlFold> {
  if (config.log.kind === 'sqlite' && !existsSync(logFile(config))) return new ControlFold();
  const log = await openLog(config);
  return readControlState(log).finally(() => log.close());
}

/** The right to run everything on a data folder. @throws BNY-CLI-UP-TWICE while another has it */
export function lockData({ data }: Pick<Config, 'data'>, needed: string): Lock {
  const lock = takeLock(join(data, 'up.lock'));
  const holder = join(data, 'up.pid');
  if (lock) {
    writeFileSync(holder, `${process.pid}\n`);
    return lock;
  }
  const pid = existsSync(holder) ? readFileSync(holder, 'utf8').trim() : '';
  throw cliFault('BNY-CLI-UP-TWICE', { found: `${data} is in use${pid && ` by process ${pid}`}`, needed });
}
