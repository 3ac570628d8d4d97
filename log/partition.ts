/**
 * The partition of a key: murmur2 as the Java client of Kafka computes it, so that a log moved to Kafka keeps its
 * places. Source: Austin Appleby's MurmurHash2, seed and sign mask as in `org.apache.kafka.common.utils.Utils`.
 */
export function partitionOf(key: string, partitions: number): number {
  return partitions === 1 ? 0 : (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions;
}

/** A key that is placed in that partition. */
export function keyIn(partition: number, partitions: number): string {
  for (let n = 0; ; n++) if (partitionOf(`banyan-${n}`, partitions) === partition) return `banyan-${n}`;
}

const M = 0x5bd1e995;
const SEED = 0x9747b28c;

function murmur2(data: Uint8Array): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let hash = SEED ^ data.length;
  let at = 0;
  for (; at + 4 <= data.length; at += 4) {
    const k = Math.imul(view.getInt32(at, true), M);
    hash = Math.imul(hash, M) ^ Math.imul(k ^ (k >>> 24), M);
  }
  let tail = 0;
  for (let i = data.length - 1; i >= at; i--) tail = (tail << 8) | view.getUint8(i);
  if (at < data.length) hash = Math.imul(hash ^ tail, M);
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}
