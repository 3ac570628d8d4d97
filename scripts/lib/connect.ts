import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jarFolder } from '../java/jar-folder.ts';
import { type Controls, JavaServer } from './java-server.ts';
import { consecutivePorts } from './ports.ts';

/** A private worker of Kafka Connect, distributed mode, with Debezium's connectors. What it keeps is in Kafka. */
export interface Connect extends Controls {
  /** Of its REST interface. */
  url: string;
}

export interface ConnectOptions {
  /** `host:port` of Kafka. */
  brokers: string;
  /** For its output; a new one that `stop` removes when not given. */
  folder?: string;
  /** Further worker properties; they win. Another `group.id` and other storage topics make a second Connect on one Kafka. */
  extra?: Readonly<Record<string, string>>;
}

const HEAP_MB = 768;

export async function startConnect({ brokers, folder, extra = {} }: ConnectOptions): Promise<Connect> {
  const own = folder === undefined;
  const home = folder ?? (await mkdtemp(join(tmpdir(), 'banyan-connect-')));
  await mkdir(home, { recursive: true });
  const [port] = (await consecutivePorts(1)) as [number];
  const url = `http://127.0.0.1:${port}`;
  const server = await JavaServer.start({
    name: 'connect',
    folder: home,
    own,
    properties: workerProperties(brokers, url),
    extra,
    mainClass: 'org.apache.kafka.connect.cli.ConnectDistributed',
    heapMb: HEAP_MB,
    ready: () =>
      fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      ),
  });
  return Object.assign(server, { url });
}

function workerProperties(brokers: string, url: string) {
  const storage = ['config', 'offset', 'status'].flatMap((name) => [
    [`${name}.storage.topic`, `connect.${name}`],
    [`${name}.storage.replication.factor`, '1'],
  ]);
  return {
    'bootstrap.servers': brokers,
    'group.id': 'connect',
    listeners: url,
    ...Object.fromEntries(storage),
    'offset.storage.partitions': '1',
    'status.storage.partitions': '1',
    'offset.flush.interval.ms': '1000',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'key.converter.schemas.enable': 'false',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'false',
    'plugin.path': jarFolder('plugins'),
    'plugin.discovery': 'service_load',
    // A killed worker's tasks go to its successor as soon as the group has noticed: the default would wait five minutes.
    'scheduled.rebalance.max.delay.ms': '0',
    'session.timeout.ms': '6000',
    'heartbeat.interval.ms': '2000',
  };
}
