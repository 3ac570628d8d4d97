import { describe, expect, it } from '@jest/globals';
import filterAbortedMessages from 'kafkajs/src/consumer/filterAbortedMessages.js';
import { committed } from './committed.ts';
import type { RecordBatch } from './record-batch.ts';

const batch = (producerId: bigint, offset: number, key: Buffer): RecordBatch => ({
  firstOffset: offset,
  lastOffset: offset,
  producerId,
  producerEpoch: 0,
  transactional: true,
  marker: undefined,
  records: [{ offset, key, value: Buffer.from('x'), headers: new Map() }],
});
const end = (producerId: bigint, offset: number, marker: 'commit' | 'abort'): RecordBatch => ({
  ...batch(producerId, offset, Buffer.from([0, 0, 0, marker === 'commit' ? 1 : 0])),
  marker,
});
const offsets = (batches: RecordBatch[], aborted: { producerId: bigint; firstOffset: number }[]) =>
  committed(batches, aborted).map(({ offset }) => offset);

/** The same as kafkajs sees it. */
const asKafkaJs = (batches: RecordBatch[], aborted: { producerId: bigint; firstOffset: number }[]) =>
  filterAbortedMessages({
    messages: batches.flatMap(({ records, producerId, transactional }) =>
      records.map(({ offset, key }) => ({
        offset: String(offset),
        key,
        batchContext: { producerId: String(producerId), inTransaction: transactional },
      })),
    ),
    abortedTransactions: aborted.map((each) => ({
      producerId: String(each.producerId),
      firstOffset: String(each.firstOffset),
    })),
  }).map(({ offset }) => Number(offset));

const key = Buffer.from('key');

describe('committed', () => {
  it('leaves out markers and aborted records, and keeps what was written without a transaction', () => {
    const plain = { ...batch(9n, 3, key), transactional: false };
    const batches = [batch(1n, 0, key), batch(2n, 1, key), end(1n, 2, 'abort'), plain, end(2n, 4, 'commit')];
    expect(offsets(batches, [{ producerId: 1n, firstOffset: 0 }])).toEqual([1, 3]);
  });

  it('keeps a transaction behind an aborted one of the same producer', () => {
    const batches = [batch(1n, 0, key), end(1n, 1, 'abort'), batch(1n, 2, key), end(1n, 3, 'commit')];
    expect(offsets(batches, [{ producerId: 1n, firstOffset: 0 }])).toEqual([2]);
  });

  it('leaves out two transactions that were both open before the first batch, of which kafkajs delivers one', () => {
    const batches = [batch(2n, 10, key), end(1n, 11, 'abort'), end(2n, 12, 'abort')];
    const aborted = [
      { producerId: 1n, firstOffset: 3 },
      { producerId: 2n, firstOffset: 4 },
    ];
    expect(offsets(batches, aborted)).toEqual([]);
    expect(asKafkaJs(batches, aborted)).toContain(10);
  });

  it('takes no record for a marker, whatever its key, as kafkajs does', () => {
    const batches = [batch(1n, 0, Buffer.alloc(4)), batch(1n, 1, key), end(1n, 2, 'abort')];
    const aborted = [{ producerId: 1n, firstOffset: 0 }];
    expect(offsets(batches, aborted)).toEqual([]);
    expect(asKafkaJs(batches, aborted)).toContain(1);
  });
});
