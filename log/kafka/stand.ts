import { clusterFault } from './errors.ts';
import type { KafkaRecord } from './record-batch.ts';
import type { Wire } from './wire.ts';

/** Where a partition stands: what can be read of it, and what was committed last. */

const PATIENCE_MS = 20_000;
/** A marker that comes ends the wait; an offset that merely becomes visible does not. */
const WAIT_MS = 10;
const SCAN_BYTES = 1_000_000;

/**
 * Waits until readers can see each of these offsets: the markers of a committed transaction are written after the commit
 * has been answered, and another transaction that is still open holds up everything behind its beginning.
 *
 * @throws BNY-LOG-HUNG
 */
export async function visible(
  wire: Wire,
  places: readonly { topic: string; partition: number; offset: number }[],
): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; ; ) {
    const stable = await wire.offsets(places, 'stable');
    const hidden = places.filter(({ offset }, i) => (stable[i] ?? 0) <= offset);
    if (hidden.length === 0) return;
    if (Date.now() > deadline) throw await hung(wire, hidden);
    await wire.fetch(
      hidden.map((place) => ({ ...place, from: place.offset + 1 })),
      { waitMs: WAIT_MS, bytes: 1 },
    );
  }
}

async function hung(wire: Wire, places: readonly { topic: string; partition: number }[]) {
  const stable = await wire.offsets(places, 'stable');
  const wanted = places.map(({ topic, partition }, i) => ({ topic, partition, from: stable[i] ?? 0 }));
  const open = await wire.fetch(wanted, { waitMs: 0, bytes: 1, undecided: true });
  const found = open.map(
    ({ topic, partition, from, producerId }) =>
      `a transaction of producer ${producerId} is open in ${topic} partition ${partition} since offset ${from}`,
  );
  return clusterFault('BNY-LOG-HUNG', { found: found.join(', '), needed: `its end within ${PATIENCE_MS / 1000} s` });
}

/**
 * The newest committed record before an offset that is accepted, or undefined. What stands directly before an offset may
 * be a marker, an aborted record or a hole left by compaction, so ever larger stretches are read.
 */
export async function lastCommitted(
  wire: Wire,
  { topic, partition }: { topic: string; partition: number },
  before: number,
  accepts: (record: KafkaRecord) => boolean = () => true,
): Promise<KafkaRecord | undefined> {
  const [first = 0] = await wire.offsets([{ topic, partition }], 'start');
  for (let [to, size] = [before, 2]; to > first; size *= 8) {
    const start = Math.max(first, to - size);
    let newest: KafkaRecord | undefined;
    for (let from = start; from < to; ) {
      const [part] = await wire.fetch([{ topic, partition, from }], { waitMs: 0, bytes: SCAN_BYTES });
      if (!part || part.next === from) break;
      newest = part.records.findLast((record) => record.offset < to && accepts(record)) ?? newest;
      from = part.next;
    }
    if (newest) return newest;
    to = start;
  }
  return undefined;
}
