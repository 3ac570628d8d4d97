import { createHash } from 'node:crypto';
import type { WantedTopic } from '../../log/kafka/topics.ts';
import { followedTables } from '../statements/followed-tables.ts';
import { connectorNameOf, type DebeziumOptions, topicOf } from './options.ts';

export const CONNECTOR_CLASS = 'io.debezium.connector.mariadb.MariaDbConnector';

/** A change with its row before and after; a larger one stops the connector. */
export const MAX_RECORD_BYTES = 8_000_000;

function historyTopicOf(options: Pick<DebeziumOptions, 'kafka'>): string {
  return `${topicOf(options)}.schema`;
}

/** What the connector writes to, and what it needs of it. */
export function connectorTopics(options: Pick<DebeziumOptions, 'kafka'>): Map<string, WantedTopic> {
  return new Map([
    [topicOf(options), { batchBytes: MAX_RECORD_BYTES }],
    [historyTopicOf(options), {}],
  ]);
}

/** Settings of addresses, accounts, TLS and speed: whatever their value, no change is lost and none is altered. */
const FREE = new RegExp(
  `^(${[
    'database\\.(hostname|port|user|password|server\\.id|ssl\\..*|query\\.timeout\\.ms)',
    'driver\\..*',
    'connect\\.(timeout\\.ms|max\\.attempts)',
    'schema\\.history\\.internal\\.(producer|consumer)\\..*',
    'schema\\.history\\.internal\\.kafka\\.(bootstrap\\.servers|.*\\.(ms|attempts))',
    'producer\\.override\\.((bootstrap|security|sasl|ssl)\\..*|linger\\.ms|batch\\.size|buffer\\.memory)',
    'poll\\.interval\\.ms',
    'max\\.(batch\\.size|queue\\.size|queue\\.size\\.in\\.bytes)',
    'errors\\.(log|max|retry)\\..*',
    'retriable\\.restart\\..*',
  ].join('|')})$`,
);

/** Whether a setting of the connector may be another one than Banyan's. Of those it does not know it says no. */
export function isFree(setting: string): boolean {
  return FREE.test(setting);
}

/** Whether nobody is to read a setting's value in a message. */
export function isSecret(setting: string): boolean {
  return /password|secret|jaas|\.key$/i.test(setting);
}

/** What Connect says of a configuration, as it may be told. */
export function withoutSecrets(message: string, config: Readonly<Record<string, string>>): string {
  const secrets = Object.keys(config).flatMap((name) => (isSecret(name) && config[name]) || []);
  return secrets.reduce((text, secret) => text.replaceAll(secret, '…'), message);
}

/**
 * The connector's configuration. Its settings are no matter of taste: other ones lose values (`isostring` makes NULL of
 * negative TIMEs), kinds of changes (TRUNCATE is skipped by default), or the transactions' bounds.
 */
export function connectorConfig(options: DebeziumOptions): Record<string, string> {
  const topic = topicOf(options);
  const { connect } = options;
  return {
    name: connectorNameOf(options),
    'connector.class': CONNECTOR_CLASS,
    'tasks.max': '1',
    ...databaseSettings(options),
    ...tableSettings(options),
    ...historySettings(options),
    // The seed is Banyan's: the connector reads no rows of its own accord, only the tables' structures.
    'snapshot.mode': 'no_data',
    'snapshot.locking.mode': 'none',
    'skipped.operations': 'none',
    'tombstones.on.delete': 'false',
    'include.schema.changes': 'true',
    'provide.transaction.metadata': 'true',
    'time.precision.mode': 'adaptive_time_microseconds',
    'bigint.unsigned.handling.mode': 'precise',
    'decimal.handling.mode': 'string',
    'binary.handling.mode': 'base64',
    'inconsistent.schema.handling.mode': 'fail',
    'event.processing.failure.handling.mode': 'fail',
    'errors.tolerance': 'none',
    'poll.interval.ms': '10',
    ...heartbeats(connect.heartbeatMs ?? 10_000),
    // Rows, BEGIN and END, statements, heartbeats: all in one partition, in the order in which they were read.
    transforms: 'onetopic',
    'transforms.onetopic.type': 'org.apache.kafka.connect.transforms.RegexRouter',
    'transforms.onetopic.regex': '.*',
    'transforms.onetopic.replacement': topic,
    ...converters('key'),
    ...converters('value'),
    'producer.override.compression.type': 'none',
    'producer.override.max.request.size': String(MAX_RECORD_BYTES),
    ...connect.extra,
  };
}

/** The server's own heartbeats are what an idle connector passes on; Debezium asks for one in 0.8 of this interval. */
function heartbeats(intervalMs: number): Record<string, string> {
  return {
    'heartbeat.interval.ms': String(intervalMs),
    'connect.keep.alive.interval.ms': String(Math.ceil(intervalMs / 0.8)),
  };
}

function databaseSettings(options: DebeziumOptions): Record<string, string> {
  const { connection, connect } = options;
  const { host = '127.0.0.1', port = 3306, user = '', password = '' } = { ...connection, ...connect.account };
  return {
    'topic.prefix': topicOf(options),
    'database.hostname': host,
    'database.port': String(port),
    'database.user': user,
    'database.password': password,
    'database.server.id': String(connect.serverId ?? serverIdOf(topicOf(options))),
    // The words of the connector for MariaDB; that for MySQL has others.
    'database.ssl.mode': connection.ssl ? 'verify-ca' : 'disable',
  };
}

/** Above what people give their servers, below what the binlog source draws for itself. */
function serverIdOf(topic: string): number {
  return 10 ** 9 + (createHash('sha1').update(topic).digest().readUInt32BE() % 10 ** 9);
}

function tableSettings(options: DebeziumOptions): Record<string, string> {
  const followed = followedTables(options);
  const schemas = new Set(followed.map(({ schema }) => schema));
  const excluded = followed.flatMap(({ schema, table, captured }) =>
    (captured.excluded ?? []).map((column) => pattern(schema, table, column)),
  );
  return {
    'database.include.list': [...schemas].map((schema) => pattern(schema)).join(),
    'table.include.list': followed.map(({ schema, table }) => pattern(schema, table)).join(),
    ...(excluded.length > 0 && { 'column.exclude.list': excluded.join() }),
  };
}

/** Debezium takes regular expressions, apart by commas. */
function pattern(...names: string[]): string {
  return names
    .map((name) => name.replaceAll(/[^\p{L}\p{N}_ ]/gu, (sign) => (sign === ',' ? '.' : `\\${sign}`)))
    .join('\\.');
}

function historySettings(options: DebeziumOptions): Record<string, string> {
  const brokers = options.connect.brokers ?? options.kafka.brokers;
  return {
    'schema.history.internal.kafka.topic': historyTopicOf(options),
    'schema.history.internal.kafka.bootstrap.servers': brokers.join(),
    // A statement about any other table that Debezium cannot read (UUID, INET6) would stop the connector for good.
    'schema.history.internal.store.only.captured.tables.ddl': 'true',
  };
}

function converters(of: 'key' | 'value'): Record<string, string> {
  return {
    [`${of}.converter`]: 'org.apache.kafka.connect.json.JsonConverter',
    [`${of}.converter.schemas.enable`]: 'false',
    // By default a NULL comes out as the column's DEFAULT.
    [`${of}.converter.replace.null.with.default`]: 'false',
  };
}
