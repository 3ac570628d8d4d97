import { setTimeout as sleep } from 'node:timers/promises';
import { kafkaFault } from './fault.ts';

/** How long a cluster may be away, or without a leader, before anybody is told. */
const PATIENCE_MS = 30_000;
/** One that has never answered is more likely a wrong address. */
export const FIRST_PATIENCE_MS = 5000;
const RETRY_MS = 100;

interface Patience {
  /** Ends the waiting; not what is tried at that moment. */
  signal?: AbortSignal | undefined;
  patienceMs?: number;
}

/** Tries again what failed for a reason that passes. Only for what may be done twice. */
export async function patiently<T>(
  where: string,
  action: () => Promise<T>,
  { signal, patienceMs = PATIENCE_MS }: Patience = {},
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      return await action();
    } catch (error) {
      const fault = kafkaFault(error, where);
      if (!fault.retryable || Date.now() > deadline) throw fault;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      if (signal?.aborted) throw fault;
    }
  }
}
