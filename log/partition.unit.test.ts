import { describe, expect, it } from '@jest/globals';
import { partitionOf } from './partition.ts';

/** Hashes of the Java client's own tests (`org.apache.kafka.common.utils.UtilsTest.testMurmur2`). */
const VECTORS: [key: string, hash: number][] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

describe('partitionOf', () => {
  it.each(VECTORS)('places %s as the Java client does', (key, hash) => {
    for (const partitions of [2, 3, 4, 7, 100])
      expect(partitionOf(key, partitions)).toBe((hash & 0x7fffffff) % partitions);
  });

  it('counts bytes, not characters', () => {
    const places = new Set(['é', 'e\u0301', '🎈', 'ß'].map((key) => partitionOf(key, 1000)));
    expect(places.size).toBe(4);
  });
});
