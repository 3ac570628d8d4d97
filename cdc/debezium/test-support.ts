import { setTimeout as sleep } from 'node:timers/promises';
import { type Connect, startConnect } from '../../scripts/lib/connect.ts';
import { type Kafka, startKafka } from '../../scripts/lib/kafka.ts';
import type { MariadbOptions } from '../../scripts/lib/mariadb.ts';
import { startTestServer, type TestServer } from '../binlog/test-support.ts';
import type { CapturedTables } from '../types.ts';
import {
  applyConnector,
  type ConnectorStatus,
  connectorStatus,
  type DebeziumOptions,
  openDebeziumSource,
} from './index.ts';

export interface TestStack {
  server: TestServer;
  kafka: Kafka;
  connect: Connect;
  /** Of a connector and a source with topics of their own. */
  options(prefix: string, tables: CapturedTables): DebeziumOptions;
  /** Applies the connector and waits until its task runs. */
  apply(options: DebeziumOptions): Promise<void>;
  dispose(): Promise<void>;
}

/** A MariaDB with the schema `shop`, a Kafka and a Connect of their own. */
export async function startTestStack(mariadb: MariadbOptions = {}): Promise<TestStack> {
  const [server, kafka] = await Promise.all([startTestServer(mariadb), startKafka()]);
  const connect = await startConnect({ brokers: kafka.brokers });
  await (await server.session()).end();
  return {
    server,
    kafka,
    connect,
    options: (prefix, tables) => ({
      connection: server.connection,
      schema: 'shop',
      tables,
      kafka: { brokers: [kafka.brokers], prefix: `${prefix}.`, replicationFactor: 1 },
      connect: { url: connect.url, heartbeatMs: 400 },
    }),
    async apply(options) {
      await applyConnector(options);
      await running(options);
    },
    async dispose() {
      await connect.stop();
      await kafka.stop();
      await server.dispose();
    },
  };
}

/** Once its task runs. */
export async function running(options: DebeziumOptions): Promise<ConnectorStatus> {
  for (;;) {
    const status = await connectorStatus(options);
    if (status.tasks[0]?.state === 'RUNNING') return status;
    if (status.tasks[0]?.state === 'FAILED') throw new Error(JSON.stringify(status));
    await sleep(100);
  }
}

export { openDebeziumSource };
