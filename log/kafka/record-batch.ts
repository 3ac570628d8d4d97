import Decoder from 'kafkajs/src/protocol/decoder.js';
import { clusterFault } from './errors.ts';

/**
 * Records as Kafka stores them: batches of the message format 2. kafkajs's own decoder forgets where a batch ends: after
 * one whose records have all been compacted away, it could never tell how to go on.
 * Source: https://kafka.apache.org/documentation/#recordbatch
 */
export interface RecordBatch {
  firstOffset: number;
  lastOffset: number;
  producerId: bigint;
  producerEpoch: number;
  transactional: boolean;
  /** A marker at the end of a transaction; it holds no data. */
  marker: 'commit' | 'abort' | 'other' | undefined;
  records: KafkaRecord[];
}

export interface KafkaRecord {
  offset: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: ReadonlyMap<string, string>;
}

const BATCH_HEADER_BYTES = 12;
const COMPRESSED = 0x07;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/** The whole batches in `bytes`; the last one may be cut off, and is left out. @throws BNY-LOG-FOREIGN */
export function readBatches(bytes: Buffer, topic: string): RecordBatch[] {
  const batches: RecordBatch[] = [];
  for (let at = 0; at + BATCH_HEADER_BYTES <= bytes.length; ) {
    const length = BATCH_HEADER_BYTES + bytes.readInt32BE(at + 8);
    if (at + length > bytes.length) break;
    batches.push(readBatch(new Decoder(bytes.subarray(at, at + length)), topic));
    at += length;
  }
  return batches;
}

function readBatch(decoder: Decoder, topic: string): RecordBatch {
  const firstOffset = Number(decoder.readInt64());
  // Length and leader epoch.
  decoder.forward(8);
  const format = decoder.readInt8();
  // Checksum.
  decoder.forward(4);
  const attributes = decoder.readInt16();
  if (format !== 2 || (attributes & COMPRESSED) !== 0) {
    throw clusterFault('BNY-LOG-FOREIGN', {
      found: `a ${format === 2 ? 'compressed batch' : `batch of message format ${format}`} at ${topic} offset ${firstOffset}`,
      needed: 'what Banyan has written',
    });
  }
  const lastOffset = firstOffset + decoder.readInt32();
  // First and last timestamp.
  decoder.forward(16);
  const producerId = decoder.readInt64();
  const producerEpoch = decoder.readInt16();
  // First sequence.
  decoder.forward(4);
  const records = decoder.readArray((each) => readRecord(each, firstOffset));
  const marker = (attributes & CONTROL) === 0 ? undefined : markerOf(records);
  const transactional = (attributes & TRANSACTIONAL) !== 0;
  return { firstOffset, lastOffset, producerId, producerEpoch, transactional, marker, records };
}

function readRecord(decoder: Decoder, firstOffset: number): KafkaRecord {
  const length = decoder.readVarInt();
  const end = decoder.offset + length;
  // Attributes.
  decoder.forward(1);
  skipVarLong(decoder);
  const offset = firstOffset + decoder.readVarInt();
  const key = decoder.readVarIntBytes();
  const value = decoder.readVarIntBytes();
  const headers = new Map<string, string>();
  for (let left = decoder.readVarInt(); left > 0; left--) {
    const name = decoder.readVarIntString() ?? '';
    headers.set(name, decoder.readVarIntString() ?? '');
  }
  decoder.offset = end;
  return { offset, key, value, headers };
}

function skipVarLong(decoder: Decoder): void {
  while ((decoder.buffer[decoder.offset++] as number) >= 0x80) {}
}

function markerOf([record]: KafkaRecord[]): 'commit' | 'abort' | 'other' {
  const type = record?.key?.readInt16BE(2);
  return type === 1 ? 'commit' : type === 0 ? 'abort' : 'other';
}
