import type { Broker, PartitionsOf } from 'kafkajs/src/broker/index.js';
import Decoder from 'kafkajs/src/protocol/decoder.js';
import { createErrorFromCode } from 'kafkajs/src/protocol/error.js';
import fetchRequest from 'kafkajs/src/protocol/requests/fetch/v11/request.js';
import { committed } from './committed.ts';
import { type KafkaRecord, type RecordBatch, readBatches } from './record-batch.ts';

/** A partition and the offset from which it is wanted. */
export interface Wanted {
  topic: string;
  partition: number;
  from: number;
}

export interface Fetched extends Wanted {
  /** In offset order, of committed transactions only. */
  records: KafkaRecord[];
  /** Where to go on. */
  next: number;
  /** Everything before it is decided: committed or aborted. */
  stable: number;
  /** The first offset that is still kept. */
  start: number;
  /** Who wrote the first batch. */
  producerId: bigint | undefined;
}

export interface FetchLimits {
  /** How long the broker may wait until there is something. */
  waitMs: number;
  bytes: number;
  /** Also what is not decided yet; default false. */
  undecided?: boolean;
}

const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;

/** One fetch from one broker. @throws BNY-LOG-FOREIGN, or kafkajs's error of the first partition that has one */
export async function fetchFrom(broker: Broker, wanted: readonly Wanted[], limits: FetchLimits): Promise<Fetched[]> {
  const request = fetchRequest({
    replicaId: -1,
    maxWaitTime: limits.waitMs,
    minBytes: 1,
    maxBytes: limits.bytes,
    isolationLevel: limits.undecided ? READ_UNCOMMITTED : READ_COMMITTED,
    topics: byTopic(wanted).map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, from }) => ({ partition, fetchOffset: from, maxBytes: limits.bytes })),
    })),
  });
  const answers = await broker.connectionPool.send({
    request,
    response: { decode: async (bytes) => decode(bytes), parse },
  });
  return wanted.map((each) => {
    const answer = answers.find(({ topic, partition }) => topic === each.topic && partition === each.partition);
    return answer
      ? fetched(each, answer)
      : { ...each, records: [], next: each.from, stable: 0, start: 0, producerId: undefined };
  });
}

function fetched(wanted: Wanted, { batches, aborted, stable, start }: Answer): Fetched {
  const last = batches.at(-1);
  const records = committed(batches, aborted).filter(({ offset }) => offset >= wanted.from);
  return {
    ...wanted,
    records,
    next: Math.max(wanted.from, (last?.lastOffset ?? -1) + 1),
    stable,
    start,
    producerId: batches[0]?.producerId,
  };
}

export function byTopic<T extends { topic: string }>(all: readonly T[]): PartitionsOf<T>[] {
  return [...Map.groupBy(all, ({ topic }) => topic)].map(([topic, partitions]) => ({ topic, partitions }));
}

interface Answer {
  topic: string;
  partition: number;
  errorCode: number;
  stable: number;
  start: number;
  aborted: AbortedTransaction[];
  batches: RecordBatch[];
}

export interface AbortedTransaction {
  producerId: bigint;
  firstOffset: number;
}

/** The answer of version 11. Source: https://kafka.apache.org/protocol.html#The_Messages_Fetch */
function decode(bytes: Buffer): Answer[] {
  const decoder = new Decoder(bytes);
  // Throttle time, error of the session, its id.
  decoder.forward(10);
  const topics = decoder.readArray(() => {
    const topic = decoder.readString();
    return decoder.readArray(() => decodePartition(decoder, topic));
  });
  return topics.flat();
}

function decodePartition(decoder: Decoder, topic: string): Answer {
  const partition = decoder.readInt32();
  const errorCode = decoder.readInt16();
  // High watermark.
  decoder.forward(8);
  const stable = Number(decoder.readInt64());
  const start = Number(decoder.readInt64());
  const aborted = decoder.readArray(() => ({
    producerId: decoder.readInt64(),
    firstOffset: Number(decoder.readInt64()),
  }));
  // Preferred replica.
  decoder.forward(4);
  const length = decoder.readInt32();
  const batches = length > 0 ? readBatches(decoder.readBytes(length), topic) : [];
  return { topic, partition, errorCode, stable, start, aborted, batches };
}

async function parse(answers: Answer[]): Promise<Answer[]> {
  const failed = answers.find(({ errorCode }) => errorCode !== 0);
  if (failed) throw createErrorFromCode(failed.errorCode);
  return answers;
}
