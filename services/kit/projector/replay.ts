import { type Cursors, type Ends, type EventLog, latestEvent } from '../../../log/index.ts';
import type { Domain } from '../domain.ts';
import type { Difference, Frozen, Lease, Stores } from '../store/types.ts';
import { Projector } from './projector.ts';

export interface ReplayOptions {
  log: EventLog;
  domain: Domain;
  stores: Stores;
  /** The store that is built. */
  name: string;
  /** The right to write it. */
  lease: Lease;
  /** The store that it is compared with. */
  live: string;
  actor: string;
}

/**
 * Builds a store anew from the log and hashes it at exactly the cursors at which the live store was hashed. Returns the
 * hash when both are equal, else what differs; it flips nothing itself.
 */
export async function rebuild(
  options: ReplayOptions,
  signal: AbortSignal,
): Promise<{ hash: string } | { differences: Difference[] }> {
  const { stores, lease, live, name } = options;
  await lease.clear();
  const frozen = await stores.freeze(live, name);
  let equal = false;
  try {
    const result = await build(options, frozen, signal);
    equal = 'hash' in result;
    return result;
  } finally {
    await frozen.close();
    // Nobody goes on with it: the next try begins anew.
    if (!equal) await lease.clear();
  }
}

async function build({ log, domain, name, lease, actor }: ReplayOptions, frozen: Frozen, signal: AbortSignal) {
  const { projection } = domain;
  const [cursors, applied, hash] = [await frozen.cursors(), await frozen.applied(), await frozen.hash()];
  const until = endsOf(cursors);
  const total = Object.values(until)
    .flat()
    .reduce((sum, offset) => sum + offset + 1, 0);
  const store = await lease.open({ indexesLater: true });
  let told = 0;
  const tell = async (events: number) => {
    const progress = { domain: domain.name, store: name, events, total };
    await log.post([latestEvent('ReplayProgress', `replay:${domain.name}`, progress, actor)]);
  };
  try {
    await tell(0);
    const onProgress = ({ events }: { events: number }) => {
      if (Date.now() - told < 500) return;
      told = Date.now();
      void tell(events).catch(() => (told = 0));
    };
    await new Projector({ log, projection, store, until, onProgress }).run(signal);
    signal.throwIfAborted();
    const rebuilt = await store.hash();
    await store.createIndexes();
    // A log that moves on has no checkpoint which ends here: without this the store would count as empty when it is
    // flipped to.
    if ((await store.applied()).position < applied.position) await store.setApplied(applied);
    await tell(total);
    if (rebuilt === hash) return { hash };
    return { differences: await frozen.differences(name) };
  } finally {
    await store.close();
  }
}

function endsOf(cursors: Cursors): Ends {
  return Object.fromEntries(
    Object.entries(cursors).map(([topic, partitions]) => [topic, partitions.map((c) => c.offset)]),
  );
}
