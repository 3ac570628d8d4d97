import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker, ProducerIdentity } from 'kafkajs/src/broker/index.js';
import { clusterFault } from './errors.ts';
import { kafkaFault, typeOf } from './fault.ts';
import { byTopic } from './fetch.ts';
import { produceTo } from './produce.ts';
import type { Wire } from './wire.ts';

export interface Message {
  key: string;
  value: string;
  headers: Record<string, string>;
}

/** The messages for one partition. */
export interface Load {
  topic: string;
  partition: number;
  messages: Message[];
}

/** Where the first message of a load has come to stand. */
export interface Placed extends Load {
  firstOffset: number;
}

/** Where the last one has. */
export function lastOf({ topic, partition, firstOffset, messages }: Placed) {
  return { topic, partition, offset: firstOffset + messages.length - 1 };
}

/** A dead writer's open transaction holds up readers for this long, unless a new writer ends it. */
export const TRANSACTION_TIMEOUT_MS = 10_000;
/** The coordinator is loading, or still busy with the transaction before. */
const NOT_YET = [
  'CONCURRENT_TRANSACTIONS',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
];
const NOT_YET_MS = { retry: 2, patience: 30_000 };

/**
 * An idempotent producer, with a transactional id also a transactional one. Every step is tried once: after an error the
 * outcome of what was sent is unknown, and the producer is of no more use. kafkajs's own producer retries a send by
 * broker, and after a change of leaders skips or repeats partitions; and a commit that fails wedges it.
 */
export class Producer {
  readonly #wire: Wire;
  readonly #identity: ProducerIdentity;
  readonly #coordinator: Broker | undefined;
  readonly #sequences = new Map<string, number>();

  private constructor(wire: Wire, identity: ProducerIdentity, coordinator: Broker | undefined) {
    this.#wire = wire;
    this.#identity = identity;
    this.#coordinator = coordinator;
  }

  /** With a transactional id: fences every older producer of that id, and ends the transaction that it left open. */
  static async open(wire: Wire, transactionalId?: string): Promise<Producer> {
    const options = { transactionalId, transactionTimeout: TRANSACTION_TIMEOUT_MS };
    return whenReady(async () => {
      const broker = transactionalId === undefined ? await wire.anyBroker() : await wire.coordinator(transactionalId);
      const { producerId, producerEpoch } = await broker.initProducerId(options);
      const coordinator = transactionalId === undefined ? undefined : broker;
      return new Producer(wire, { transactionalId, producerId, producerEpoch }, coordinator);
    });
  }

  async begin(places: readonly { topic: string; partition: number }[]): Promise<void> {
    const topics = byTopic(places).map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => partition),
    }));
    await whenReady(() => (this.#coordinator as Broker).addPartitionsToTxn({ ...this.#identity, topics }));
  }

  /** @throws BNY-LOG-UNREACHABLE when not every load was confirmed, exactly once */
  async send(loads: readonly Load[], wire = this.#wire): Promise<Placed[]> {
    const leaders = await wire.byLeader(loads);
    const sends = [...leaders].map(([broker, own]) => this.#sendTo(broker, own));
    // All of them: brokers before 3.6 take what comes behind the abort of a transaction for the beginning of the next one.
    await Promise.allSettled(sends);
    return (await Promise.all(sends)).flat();
  }

  async end(how: 'commit' | 'abort'): Promise<void> {
    await (this.#coordinator as Broker).endTxn({ ...this.#identity, transactionResult: how === 'commit' });
  }

  async #sendTo(broker: Broker, loads: readonly Load[]): Promise<Placed[]> {
    const numbered = loads.map((load) => ({ ...load, firstSequence: this.#sequences.get(placeName(load)) ?? 0 }));
    const answers = await produceTo(broker, this.#identity, numbered);
    return loads.map((load) => {
      const own = answers.filter(({ topic, partition }) => topic === load.topic && partition === load.partition);
      const [answer] = own;
      if (own.length !== 1 || !answer || answer.errorCode !== 0 || Number(answer.baseOffset) < 0) {
        throw clusterFault('BNY-LOG-UNREACHABLE', {
          found: `${own.length} confirmations of ${load.topic} partition ${load.partition}`,
          needed: 'one',
        });
      }
      // Modulo 2^31, as brokers count.
      const written = (this.#sequences.get(placeName(load)) ?? 0) + load.messages.length;
      this.#sequences.set(placeName(load), written & 0x7fffffff);
      return { ...load, firstOffset: Number(answer.baseOffset) };
    });
  }
}

/** The partition of a load. */
export function placeName({ topic, partition }: Load): string {
  return `${topic}/${partition}`;
}

async function whenReady<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + NOT_YET_MS.patience;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!NOT_YET.includes(typeOf(error))) throw error;
      if (Date.now() > deadline) throw kafkaFault(error, 'the coordinator of transactions');
      await sleep(NOT_YET_MS.retry);
    }
  }
}
