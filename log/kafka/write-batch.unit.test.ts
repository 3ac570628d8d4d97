import { describe, expect, it, jest } from '@jest/globals';
import Record from 'kafkajs/src/protocol/recordBatch/record/v0/index.js';
import { RecordBatch } from 'kafkajs/src/protocol/recordBatch/v0/index.js';
import type { Message } from './producer.ts';
import { readBatches } from './record-batch.ts';
import { writeBatch } from './write-batch.ts';

const LENGTHS = [0, 1, 63, 64, 127, 128, 8191, 8192, 100_000];
const MESSAGES: readonly Message[] = [
  ...LENGTHS.map((length) => ({ key: 'k', value: 'x'.repeat(length), headers: {} })),
  ...LENGTHS.map((length) => ({ key: 'é'.repeat(length), value: '', headers: { a: '𝕏'.repeat(length), '': '' } })),
  {
    key: '鍵',
    value: '{"値":"💾"}',
    headers: Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`h${i}`, 'v'])),
  },
];

describe('a batch of messages', () => {
  it.each([
    ['one', MESSAGES.slice(0, 1), { producerId: 7n, producerEpoch: 3, firstSequence: 0, transactional: true }],
    [
      'every length',
      MESSAGES,
      { producerId: 2n ** 60n, producerEpoch: 32_767, firstSequence: 2_147_483_000, transactional: true },
    ],
    [
      'of a producer without transactions',
      MESSAGES,
      { producerId: 0, producerEpoch: 0, firstSequence: 1, transactional: false },
    ],
    [
      'many',
      Array.from({ length: 20_000 }, () => MESSAGES[1] as Message),
      { producerId: 7n, producerEpoch: 0, firstSequence: 0, transactional: true },
    ],
  ])('is byte by byte as kafkajs encodes it: %s', async (_, messages, options) => {
    jest.useFakeTimers({ now: 1_790_000_000_000 });
    const records = messages.map((message, offsetDelta) => Record({ ...message, offsetDelta, timestampDelta: 0 }));
    const reference = await RecordBatch({ ...options, records, lastOffsetDelta: records.length - 1 });
    const batch = writeBatch(messages, options);
    expect(batch.equals(reference.buffer)).toBe(true);
    jest.useRealTimers();
  });

  it('is read back as it was', () => {
    const batch = writeBatch(MESSAGES, { producerId: 7n, producerEpoch: 0, firstSequence: 0, transactional: true });
    const [read] = readBatches(batch, 'orders');
    expect(
      read?.records.map(({ key, value, headers }) => ({
        key: String(key),
        value: String(value),
        headers: Object.fromEntries(headers),
      })),
    ).toEqual(MESSAGES);
  });
});
