import { describe, expect, it } from '@jest/globals';
import type { Broker } from 'kafkajs/src/broker/index.js';
import createSendMessages from 'kafkajs/src/producer/sendMessages.js';
import Decoder from 'kafkajs/src/protocol/decoder.js';
import type Encoder from 'kafkajs/src/protocol/encoder.js';
import createRetry from 'kafkajs/src/retry/index.js';
import { Producer } from './producer.ts';
import type { Wire } from './wire.ts';

/** What a broker was asked to write, and what it says of it. */
class FakeBroker {
  readonly nodeId: number;
  readonly written: string[] = [];
  #answer: (places: string[]) => string[];

  constructor(nodeId: number, answer: (places: string[]) => string[] = (places) => places) {
    this.nodeId = nodeId;
    this.#answer = answer;
  }

  async initProducerId() {
    return { producerId: 7n, producerEpoch: 0 };
  }

  readonly connectionPool = {
    send: async ({ request }: { request: { encode(): Promise<Encoder> } }) =>
      this.produce({ topicData: read((await request.encode()).buffer) }),
  };

  async produce({ topicData }: { topicData: { topic: string; partitions: { partition: number }[] }[] }) {
    const places = topicData.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition }) => `${topic}/${partition}`),
    );
    const confirmed = this.#answer(places);
    this.written.push(...confirmed);
    return {
      topics: confirmed.map((place) => {
        const [topicName = '', partition] = place.split('/');
        return { topicName, partitions: [{ partition: Number(partition), errorCode: 0, baseOffset: '0' }] };
      }),
    };
  }
}

/** Which partitions a request names. */
function read(request: Buffer) {
  const decoder = new Decoder(request);
  // No transactional id, acks, time-out.
  decoder.forward(8);
  return decoder.readArray(() => ({
    topic: decoder.readString(),
    partitions: decoder.readArray(() => {
      const partition = decoder.readInt32();
      decoder.readBytes();
      return { partition };
    }),
  }));
}

const LOADS = [0, 1].map((partition) => ({
  topic: 't',
  partition,
  messages: [{ key: 'k', value: 'v', headers: {} }],
}));

function wireOf(leaders: Map<number, FakeBroker>): Wire {
  return {
    anyBroker: async () => leaders.get(0),
    byLeader: async (loads: typeof LOADS) => Map.groupBy(loads, ({ partition }) => leaders.get(partition)),
  } as unknown as Wire;
}

describe('a producer', () => {
  it.each([
    ['too little', (places: string[]) => places.slice(1)],
    ['the same twice', (places: string[]) => [...places, ...places]],
    ['other partitions', () => ['t/5', 't/6']],
  ])('takes nothing for written when a broker confirms %s', async (_, answer) => {
    const broker = new FakeBroker(1, answer);
    const wire = wireOf(
      new Map([
        [0, broker],
        [1, broker],
      ]),
    );
    const producer = await Producer.open(wire);
    await expect(producer.send(LOADS)).rejects.toMatchObject({ code: 'BNY-LOG-UNREACHABLE' });
  });

  it('tells of a failure only when no broker has anything of it under way: what comes behind an abort could stay open', async () => {
    const failing = new FakeBroker(1, () => {
      throw new Error('gone');
    });
    const slow = new FakeBroker(2);
    const answer = Promise.withResolvers<void>();
    const { send } = slow.connectionPool;
    slow.connectionPool.send = async (request) => answer.promise.then(() => send(request));
    const leaders = new Map([
      [0, failing],
      [1, slow],
    ]);
    const producer = await Producer.open(wireOf(leaders));
    let told = false;
    const sending = producer.send(LOADS).catch((error: Error) => {
      told = true;
      return error.message;
    });
    await new Promise(setImmediate);
    expect(told).toBe(false);
    answer.resolve();
    expect(await sending).toBe('gone');
    expect(slow.written).toEqual(['t/1']);
  });

  it('does not try again by itself, as kafkajs does: which then takes a partition for written that never was', async () => {
    const [first, second] = [new FakeBroker(1), new FakeBroker(2)];
    const gone = new FakeBroker(2, () => {
      throw Object.assign(new Error('gone'), { name: 'KafkaJSConnectionError', retriable: true });
    });
    const leaders = new Map([
      [0, first],
      [1, gone],
    ]);
    await expect((await Producer.open(wireOf(leaders))).send(LOADS)).rejects.toThrow('gone');

    // kafkajs: broker 1 answers for partition 0; broker 2 dies; partition 1 moves to broker 1, "which has answered".
    first.written.length = 0;
    const cluster = clusterOf(leaders, () => leaders.set(1, first));
    const send = createSendMessages({
      logger: { debug() {}, error() {} },
      cluster,
      partitioner: ({ message }: { message: { partition: number } }) => message.partition,
      eosManager: {
        acquireBrokerLock() {},
        releaseBrokerLock() {},
        isTransactional: () => false,
        getSequence: () => 0,
        updateSequence() {},
        getProducerId: () => 7,
        getProducerEpoch: () => 0,
      },
      retrier: createRetry({ retries: 3, initialRetryTime: 1 }),
    });
    const messages = [0, 1].map((partition) => ({ partition, value: 'v' }));
    const confirmed = await send({ acks: -1, timeout: 1000, topicMessages: [{ topic: 't', messages }] });
    expect(confirmed).toHaveLength(1);
    expect([...first.written, ...second.written]).toEqual(['t/0']);
  });
});

function clusterOf(leaders: Map<number, FakeBroker>, onRefresh: () => void): object {
  return {
    addMultipleTargetTopics: async () => undefined,
    refreshMetadataIfNecessary: async () => undefined,
    refreshMetadata: async () => onRefresh(),
    isConnected: () => true,
    findTopicPartitionMetadata: () => [...leaders.keys()].map((partitionId) => ({ partitionId })),
    findLeaderForPartitions: (_: string, partitions: string[]) =>
      Object.groupBy(partitions.map(Number), (partition) => String(leaders.get(partition)?.nodeId)),
    findBroker: async ({ nodeId }: { nodeId: string }) =>
      [...leaders.values()].find((broker) => String(broker.nodeId) === nodeId) as unknown as Broker,
  };
}
