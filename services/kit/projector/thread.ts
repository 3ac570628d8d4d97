import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import {
  BanyanError,
  controlEvent,
  type EventLog,
  latestEvent,
  type NewEvent,
  readControlState,
} from '../../../log/index.ts';
import type { Domain } from '../domain.ts';
import { type Applied, type Lease, NOTHING_APPLIED, type Store, type Stores } from '../store/types.ts';
import { type Progress, Projector } from './projector.ts';
import { rebuild } from './replay.ts';

/** What a projector thread works on. */
export type ThreadTask = { store: string } | { replay: string; live: string; undoMs: number };

export interface ThreadOptions {
  log: EventLog;
  domain: Domain;
  task: ThreadTask;
  stores: Stores;
  instance: string;
  url: string;
  /** Whether this thread's store is the live one at present. */
  isLive(): boolean;
  logger: Logger;
  /** Called when the store can be read. */
  onReady(): void;
  /** Called when the thread cannot go on. */
  onStopped(error: unknown): void;
}

/** Signs of life are told this often. */
const BEAT_MS = 500;

/** The work of a projector thread: keeps one store up with the log, or builds one beside the live one first. */
export async function runProjectorThread(options: ThreadOptions, signal: AbortSignal): Promise<void> {
  const { task } = options;
  const name = 'replay' in task ? task.replay : task.store;
  while (!signal.aborted) {
    const lease = await leaseOf(options, name, signal);
    if (!lease) return;
    const held = AbortSignal.any([signal, lease.lost]);
    try {
      if (!('replay' in task) || (await replay(options, task, lease, held))) await project(options, name, lease, held);
      // A thread that ends by itself counts as dead: its owner stops it when it has read that the replay failed.
      else if (!lease.lost.aborted) await aborted(signal);
    } finally {
      await lease.release();
    }
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** Waits for the right to project into a store. Another instance that has it keeps the store up; this one reads it. */
async function leaseOf(options: ThreadOptions, name: string, signal: AbortSignal): Promise<Lease | undefined> {
  const { task, domain, stores, logger } = options;
  for (let waited = false; !signal.aborted; waited = true) {
    try {
      const lease = await stores.lease(name);
      if (lease && waited)
        logger.info({ domain: domain.name, store: name }, 'this instance projects into the store now');
      if (lease) return lease;
      if (!waited) logger.info({ domain: domain.name, store: name }, 'another instance projects into this store');
      if ('store' in task || options.isLive()) await standBy(options, name);
    } catch (error) {
      const stopped = stores.faultOf(error);
      options.onStopped(stopped);
      // Says so until the service is restarted, if it does not pass: a stopped projector must not look like a dead one.
      do {
        await tellBeat(options, name, NOTHING_APPLIED, stopped);
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      } while (!isPassing(stopped) && !signal.aborted);
    }
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

async function standBy(options: ThreadOptions, name: string): Promise<void> {
  const applied = await options.stores.peek(name);
  if (!applied) return;
  options.onReady();
  await tellBeat(options, name, applied, undefined);
}

/** True when the new store has been flipped to and wants to be kept up. */
async function replay(
  options: ThreadOptions,
  task: Extract<ThreadTask, { replay: string }>,
  lease: Lease,
  signal: AbortSignal,
): Promise<boolean> {
  const { log, domain, instance, stores } = options;
  const name = task.replay;
  const base = { domain: domain.name, store: name };
  try {
    // Another instance may have done it while this one waited.
    if ((await readControlState(log)).of(domain.name).store.replaying !== name) return true;
    const result = await rebuild({ log, domain, stores, name, lease, live: task.live, actor: instance }, signal);
    if ('differences' in result) {
      const reason = 'the rebuilt store differs from the live one at the same cursors';
      await log.post([controlEvent('ReplayFailed', { ...base, reason, differences: result.differences }, instance)]);
      return false;
    }
    await catchUp(options, lease, signal);
    signal.throwIfAborted();
    const undoUntil = new Date(Date.now() + task.undoMs).toISOString();
    await log.post([controlEvent('StoreFlipped', { ...base, hash: result.hash, undoUntil }, instance)]);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    await log.post([controlEvent('ReplayFailed', { ...base, reason: String(error), differences: [] }, instance)]);
    return false;
  }
}

/** The log has moved on since the comparison: nobody should be flipped to a store that is minutes behind. */
async function catchUp({ log, domain }: ThreadOptions, lease: Lease, signal: AbortSignal): Promise<void> {
  const { projection } = domain;
  const store = await lease.open();
  try {
    await new Projector({ log, projection, store, until: await log.ends(projection.topics) }).run(signal);
  } finally {
    await store.close();
  }
}

/** A busy log or store passes: the projector goes on at its cursors. */
const RETRY_MS = 500;

async function project(options: ThreadOptions, name: string, lease: Lease, signal: AbortSignal): Promise<void> {
  const { log, domain } = options;
  let progress: Progress = { applied: NOTHING_APPLIED, events: 0 };
  let stopped: unknown;
  let store: Store | undefined;
  const beat = () => tellBeat(options, name, progress.applied, stopped);
  const timer = setInterval(() => void beat(), BEAT_MS);
  while (!signal.aborted) {
    try {
      store = await lease.open();
      progress = { applied: await store.applied(), events: 0 };
      stopped = undefined;
      options.onReady();
      await beat();
      await new Projector({ log, projection: domain.projection, store, onProgress: (p) => (progress = p) }).run(signal);
    } catch (error) {
      stopped = options.stores.faultOf(error);
      options.onStopped(stopped);
      // Stays to say so until the service is restarted: a stopped projector must not look like a dead one.
      if (isPassing(stopped)) await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      else await aborted(signal);
    } finally {
      await store?.close();
    }
  }
  clearInterval(timer);
}

function isPassing(error: unknown): boolean {
  return BanyanError.is(error) && error.retryable;
}

/** A beat that fails is missed by whoever waits for it, and comes again; the store itself is not concerned. */
async function tellBeat(options: ThreadOptions, name: string, applied: Applied, stopped: unknown): Promise<void> {
  if (!options.isLive()) return;
  const event = beatOf(options, name, applied, stopped);
  await options.log.post([event]).catch((error: unknown) => options.logger.warn({ error }, 'no beat'));
}

function beatOf(options: ThreadOptions, name: string, { freshAt }: Applied, stopped: unknown): NewEvent {
  const { domain, instance, url } = options;
  const fault = BanyanError.is(stopped) ? stopped : undefined;
  const error = stopped ? { code: fault?.code ?? 'unknown', message: String(stopped), cure: fault?.cure ?? '' } : null;
  const state = stopped ? ('stopped' as const) : freshAt === 0 ? ('starting' as const) : ('live' as const);
  const beat = { domain: domain.name, instance, url, store: name, state, error, freshAt };
  // By address: an instance that is started again takes its place.
  return latestEvent('ServiceBeat', `service:${domain.name}:${url}`, beat, instance);
}
