import type { Socket } from 'node:net';
import type { Broker } from 'kafkajs/src/broker/index.js';
import Cluster from 'kafkajs/src/cluster/index.js';
import socketFactory from 'kafkajs/src/network/socketFactory.js';
import { kafkaFault } from './fault.ts';
import { byTopic, type Fetched, type FetchLimits, fetchFrom, type Wanted } from './fetch.ts';
import type { KafkaConnection } from './settings.ts';
import './timer-warning.ts';

const CONNECT_TIMEOUT_MS = 5000;
export const REQUEST_TIMEOUT_MS = 10_000;
/** Of a transaction's coordinator; of a group's it is 0. */
const TRANSACTION = 1;
const NEWEST = -1;
const OLDEST = -2;
const READ_COMMITTED = 1;

const createSocket = socketFactory();

const silent = { namespace: () => silent, error() {}, warn() {}, info() {}, debug() {} };

/**
 * kafkajs's connections and requests, without its producer and consumer: those retry where they should not and skip what
 * they should tell of (docs/decisions/0006). A wire that has failed is thrown away; whoever needs it opens another.
 */
export class Wire {
  readonly #cluster: Cluster;
  /** All there ever were: two requests at once on a connection that is not there yet make kafkajs lose one of two sockets. */
  readonly #sockets = new Set<Socket>();
  readonly where: string;

  private constructor(connection: KafkaConnection) {
    this.where = connection.brokers.join(',');
    this.#cluster = new Cluster({
      logger: silent,
      socketFactory: (options: object) => {
        const socket = createSocket(options);
        this.#sockets.add(socket.once('close', () => this.#sockets.delete(socket)));
        return socket;
      },
      brokers: [...connection.brokers],
      clientId: connection.clientId ?? 'banyan',
      ssl: connection.ssl,
      sasl: connection.sasl,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      authenticationTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      enforceRequestTimeout: true,
      metadataMaxAge: 300_000,
      allowAutoTopicCreation: false,
      maxInFlightRequests: null,
      retry: { retries: 1, initialRetryTime: 50 },
    });
  }

  /** @throws BNY-LOG-UNREACHABLE, BNY-LOG-ACCESS */
  static async open(connection: KafkaConnection, topics: readonly string[]): Promise<Wire> {
    const wire = new Wire(connection);
    try {
      await wire.#cluster.connect();
      await wire.#cluster.addMultipleTargetTopics(topics);
      return wire;
    } catch (error) {
      await wire.close();
      throw kafkaFault(error, wire.where);
    }
  }

  async leader(topic: string, partition: number): Promise<Broker> {
    const found = this.#cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition);
    if (!found) throw kafkaFault(new Error(`no leader of ${topic} ${partition}`), this.where);
    return this.#cluster.findBroker({ nodeId: String(found.leader) });
  }

  /** Of each request, the versions that the brokers know. */
  async versions(): Promise<Readonly<Record<number, { maxVersion: number } | undefined>>> {
    return (await this.anyBroker()).apiVersions();
  }

  /** Groups by the broker that leads each partition. */
  async byLeader<T extends { topic: string; partition: number }>(places: readonly T[]): Promise<Map<Broker, T[]>> {
    const leaders = new Map<Broker, T[]>();
    for (const place of places) {
      const broker = await this.leader(place.topic, place.partition);
      const known = leaders.get(broker);
      if (known) known.push(place);
      else leaders.set(broker, [place]);
    }
    return leaders;
  }

  async coordinator(transactionalId: string): Promise<Broker> {
    return this.#cluster.findGroupCoordinator({ groupId: transactionalId, coordinatorType: TRANSACTION });
  }

  async anyBroker(): Promise<Broker> {
    return this.#cluster.findControllerBroker();
  }

  async fetch(wanted: readonly Wanted[], limits: FetchLimits): Promise<Fetched[]> {
    const leaders = await this.byLeader(wanted);
    return (await Promise.all([...leaders].map(([broker, own]) => fetchFrom(broker, own, limits)))).flat();
  }

  /** Of each partition the offset before which everything is decided, or the first one that is still kept. */
  async offsets(places: readonly { topic: string; partition: number }[], which: 'stable' | 'start'): Promise<number[]> {
    const offsets = new Map<string, number>();
    for (const [broker, own] of await this.byLeader(places)) {
      const { responses } = await broker.listOffsets({
        isolationLevel: READ_COMMITTED,
        topics: byTopic(own).map(({ topic, partitions }) => ({
          topic,
          partitions: partitions.map(({ partition }) => ({
            partition,
            timestamp: which === 'stable' ? NEWEST : OLDEST,
          })),
        })),
      });
      for (const { topic, partitions } of responses)
        for (const { partition, offset } of partitions) offsets.set(`${topic}/${partition}`, Number(offset));
    }
    return places.map(({ topic, partition }) => offsets.get(`${topic}/${partition}`) ?? 0);
  }

  async close(): Promise<void> {
    await this.#cluster.disconnect().catch(() => undefined);
    for (const socket of this.#sockets) socket.destroy();
  }
}
