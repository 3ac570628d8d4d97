import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Controls, JavaServer, launch, propertiesText } from './java-server.ts';
import { consecutivePorts } from './ports.ts';

/** A private Kafka of one node: own data folder, free ports, loopback. */
export interface Kafka extends Controls {
  /** `host:port` of the listener for clients. */
  brokers: string;
  port: number;
}

export interface KafkaOptions {
  /** Kept between runs when given; else a new folder that `stop` removes. */
  folder?: string;
  /**
   * Further server properties; they win. The listener for clients is named CLIENT and is used by nothing else: TLS or
   * SASL need `listener.security.protocol.map` and what belongs to it, and no port.
   */
  extra?: Readonly<Record<string, string>>;
  /** Accounts that a new folder begins with, such as `SCRAM-SHA-256=[name=banyan,password=secret]`. */
  scram?: readonly string[];
}

const HEAP_MB = 512;

export async function startKafka({ folder, extra = {}, scram = [] }: KafkaOptions = {}): Promise<Kafka> {
  const own = folder === undefined;
  const home = folder ?? (await mkdtemp(join(tmpdir(), 'banyan-kafka-')));
  const ports = (await consecutivePorts(3)) as [number, number, number];
  const properties = serverProperties(home, ports);
  await format(home, properties, scram).catch(async (error) => {
    if (own) await rm(home, { recursive: true, force: true });
    throw error;
  });
  const server = await JavaServer.start({
    name: 'kafka',
    folder: home,
    own,
    properties,
    extra,
    mainClass: 'kafka.Kafka',
    heapMb: HEAP_MB,
    // Printed when requests are let in. A request would need the credentials of a listener that `extra` has changed.
    ready: (output) => output.includes('Kafka Server started'),
  });
  return Object.assign(server, { brokers: `127.0.0.1:${ports[0]}`, port: ports[0] });
}

function serverProperties(folder: string, [client, internal, controller]: [number, number, number]) {
  const listeners = `CLIENT://127.0.0.1:${client},INTERNAL://127.0.0.1:${internal}`;
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `${listeners},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': listeners,
    'listener.security.protocol.map': 'CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'INTERNAL',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'data'),
    'auto.create.topics.enable': 'false',
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '2',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    // A restarted node has to wait until the session of its killed self is over: 9 s by default.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // No second consumer is on its way that the first one of a group would do well to wait for.
    'group.initial.rebalance.delay.ms': '0',
  };
}

async function format(folder: string, properties: Record<string, string>, scram: readonly string[]): Promise<void> {
  const data = join(folder, 'data');
  if (existsSync(join(data, 'meta.properties'))) return;
  await mkdir(data, { recursive: true });
  const file = join(folder, 'format.properties');
  const log = join(folder, 'format.log');
  await writeFile(file, propertiesText(properties));
  const cluster = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
  // One word: an id may begin with a hyphen.
  const accounts = scram.flatMap((account) => ['--add-scram', account]);
  const args = ['format', `--cluster-id=${cluster}`, '--config', file, ...accounts];
  const child = await launch({ mainClass: 'kafka.tools.StorageTool', args, heapMb: 128, folder, log });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`Kafka's storage could not be formatted:\n${await readFile(log, 'utf8')}`);
}
