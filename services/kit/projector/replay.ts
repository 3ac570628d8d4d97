import { type Cursors, type Ends, type EventLog, latestEvent } from '../../../log/index.ts';
import type { Domain } from '../domain.ts';
import type { StoreFile } from '../store/sqlite/schema.ts';
import { differences, freeze, removeStore, SqliteStore } from '../store/sqlite/store.ts';
import type { Applied, Difference } from '../store/types.ts';
import { Projector } from './projector.ts';

export interface ReplayOptions {
  log: EventLog;
  domain: Domain;
  /** Names the store that is built. */
  name: string;
  live: StoreFile;
  next: StoreFile;
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
  const { live, next, name } = options;
  const frozen = `${live.file}.frozen-${name}`;
  await removeStore(frozen);
  await removeStore(next.file);
  let equal = false;
  try {
    freeze(live.file, frozen);
    const result = await build(options, { ...live, file: frozen }, signal);
    equal = 'hash' in result;
    return result;
  } finally {
    await removeStore(frozen);
    // Nobody goes on with it: the next try begins anew.
    if (!equal) await removeStore(next.file);
  }
}

async function build({ log, domain, name, next, actor }: ReplayOptions, frozen: StoreFile, signal: AbortSignal) {
  const { projection } = domain;
  const { cursors, applied, hash } = await describe(frozen);
  const until = endsOf(cursors);
  const total = Object.values(until)
    .flat()
    .reduce((sum, offset) => sum + offset + 1, 0);
  const store = new SqliteStore({ ...next, indexesLater: true });
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
    return { differences: differences(frozen.file, next.file, projection) };
  } finally {
    await store.close();
  }
}

async function describe(file: StoreFile): Promise<{ cursors: Cursors; applied: Applied; hash: string }> {
  const store = new SqliteStore(file);
  const result = { cursors: await store.cursors(), applied: await store.applied(), hash: await store.hash() };
  await store.close();
  return result;
}

function endsOf(cursors: Cursors): Ends {
  return Object.fromEntries(
    Object.entries(cursors).map(([topic, partitions]) => [topic, partitions.map((c) => c.offset)]),
  );
}
