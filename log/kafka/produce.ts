import type { Broker, ProducerIdentity } from 'kafkajs/src/broker/index.js';
import Encoder from 'kafkajs/src/protocol/encoder.js';
import response from 'kafkajs/src/protocol/requests/produce/v7/response.js';
import { byTopic } from './fetch.ts';
import type { Load } from './producer.ts';
import { REQUEST_TIMEOUT_MS } from './wire.ts';
import { writeBatch } from './write-batch.ts';

/** A load, and how many messages the producer has written to its partition before. */
interface Numbered extends Load {
  firstSequence: number;
}

export interface Confirmed {
  topic: string;
  partition: number;
  errorCode: number;
  /** Of its first message. */
  baseOffset: string;
}

const PRODUCE = 0;
/** Kafka 2.1 and newer. */
const VERSION = 7;
const ALL_IN_SYNC_REPLICAS = -1;

/** One request to the broker that leads all these partitions. Source: https://kafka.apache.org/protocol.html#The_Messages_Produce */
export async function produceTo(
  broker: Broker,
  identity: ProducerIdentity,
  loads: readonly Numbered[],
): Promise<Confirmed[]> {
  const request = {
    apiKey: PRODUCE,
    apiVersion: VERSION,
    apiName: 'Produce',
    expectResponse: () => true,
    encode: async () => encode(identity, loads),
  };
  const { topics } = await broker.connectionPool.send({ request, response });
  return topics.flatMap(({ topicName, partitions }) => partitions.map((each) => ({ ...each, topic: topicName })));
}

function encode(identity: ProducerIdentity, loads: readonly Numbered[]): Encoder {
  const { transactionalId = null } = identity;
  const topics = byTopic(loads).map(({ topic, partitions }) =>
    new Encoder().writeString(topic).writeArray(
      partitions.map(({ partition, messages, firstSequence }) => {
        const batch = writeBatch(messages, { ...identity, firstSequence, transactional: transactionalId !== null });
        return new Encoder(batch.length + 8).writeInt32(partition).writeBytes(batch);
      }),
    ),
  );
  return new Encoder()
    .writeString(transactionalId)
    .writeInt16(ALL_IN_SYNC_REPLICAS)
    .writeInt32(REQUEST_TIMEOUT_MS)
    .writeArray(topics);
}
