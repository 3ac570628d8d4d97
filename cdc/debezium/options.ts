import type { KafkaSettings } from '../../log/kafka/settings.ts';
import type { Account } from '../connection.ts';
import type { CapturedTables } from '../types.ts';

export interface DebeziumOptions {
  /** The monolith's database, as this process reaches it. */
  connection: Account;
  /** The monolith's schema. */
  schema: string;
  tables: CapturedTables;
  /** Banyan's own tables in a schema of their own; their changes name them `schema.table`. */
  alsoFollow?: { schema: string; tables: CapturedTables } | undefined;
  kafka: KafkaSettings;
  connect: ConnectOptions;
  /** A transaction with more changes than this, or with 32 MB of records, comes in parts. */
  maxPartChanges?: number;
  /** When nothing at all has come for this long, Connect is asked whether the connector runs; well beyond `heartbeatMs`. */
  silenceMs?: number;
}

/** Kafka Connect, and what differs when the database and the brokers are reached from there. */
export interface ConnectOptions {
  /** Of its REST interface. */
  url: string;
  /** The connector's name. Default: that of the topic. */
  name?: string;
  /**
   * The account as Connect uses it. A password like `${file:/etc/connect/banyan.properties:password}` is looked up by
   * Connect itself (`config.providers` of its workers): it then stands neither in Connect's topics nor in its REST answers.
   */
  account?: Partial<Pick<Account, 'host' | 'port' | 'user' | 'password'>>;
  /** Kafka's brokers, `host:port`, as Connect reaches them. */
  brokers?: readonly string[];
  /** As a replica's: must differ from that of every other one. Default: made from the topic's name. */
  serverId?: number;
  /** How often an idle connector says that it is there. */
  heartbeatMs?: number;
  /** Further settings of the connector, such as `schema.history.internal.producer.*` for a cluster with TLS; `isFree` tells which. */
  extra?: Readonly<Record<string, string>>;
}

/** Everything that the connector writes goes into one topic with one partition: so the binlog's order survives. */
export function topicOf({ kafka }: Pick<DebeziumOptions, 'kafka'>): string {
  return `${kafka.prefix ?? ''}banyan.changes`;
}

export function connectorNameOf(options: Pick<DebeziumOptions, 'kafka' | 'connect'>): string {
  return options.connect.name ?? topicOf(options);
}
