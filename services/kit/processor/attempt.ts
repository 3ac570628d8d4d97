import { setTimeout as sleep } from 'node:timers/promises';
import { serviceFault } from '../errors.ts';
import type { Processor, ProcessorTools } from '../processor.ts';
import type { Occurrence } from '../projection.ts';

/** What became of an event: handled; given up after so many attempts; or left where it was, to end or to change hands. */
export type Outcome = { kind: 'handled' } | { kind: 'dead'; error: unknown; attempts: number } | { kind: 'left' };

export interface Stops {
  /** No further attempt is to begin. */
  stop: AbortSignal;
  /** The one under way is to end. */
  now: AbortSignal;
}

const LONGEST_BACKOFF_MS = 60_000;

/** The wait before the `n`th retry. */
export function backoff({ backoffMs }: Pick<Processor, 'backoffMs'>, n: number): number {
  return Math.min(backoffMs * 2 ** (n - 1), LONGEST_BACKOFF_MS);
}

/** Hands an event to its handler, again and again while that fails. `prove` is called before each attempt. */
export async function handle(
  processor: Processor,
  event: Occurrence<never>,
  router: string,
  { stop, now }: Stops,
  prove: () => Promise<void>,
): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    if (stop.aborted) return { kind: 'left' };
    await prove();
    try {
      await once(processor, event, { router, attempt }, now);
      return { kind: 'handled' };
    } catch (error) {
      // It failed because it was told to end: that is not the event's fault.
      if (now.aborted) return { kind: 'left' };
      if (attempt > processor.retries) return { kind: 'dead', error, attempts: attempt };
      await sleep(backoff(processor, attempt), undefined, { signal: stop }).catch(() => undefined);
    }
  }
}

async function once(
  { name, handlers, deadlineMs }: Processor,
  event: Occurrence<never>,
  tools: Pick<ProcessorTools, 'router' | 'attempt'>,
  now: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const late = () =>
    over.abort(serviceFault('BNY-SERVICE-DEADLINE', { found: `${name}: ${event.type} after ${deadlineMs} ms` }));
  const timer = setTimeout(late, deadlineMs);
  const signal = AbortSignal.any([now, over.signal]);
  const ended = Promise.withResolvers<never>();
  const onAbort = () => ended.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    // A handler that heeds no signal is left behind: what it does from here on is its own affair.
    const working = (async () => handlers[event.type]?.(event, { ...tools, idempotencyKey: event.id, signal }))();
    await Promise.race([working, ended.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
