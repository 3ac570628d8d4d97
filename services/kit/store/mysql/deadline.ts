import { serviceFault } from '../../errors.ts';

/**
 * Waits no longer than this, nor for what comes no more: a server that hangs counts as one that does not answer. The
 * driver's own time-out would keep its timer when the connection is lost, and with it the process; and it never tells of
 * a query that was under way on a connection that is given up.
 *
 * @throws BNY-SERVICE-STORE-UNREACHABLE
 */
export async function within<T>(
  deadlineMs: number,
  work: Promise<T>,
  giveUp: () => void,
  lost?: AbortSignal,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const fail = (found: string) => reject(serviceFault('BNY-SERVICE-STORE-UNREACHABLE', { found }));
  const timer = setTimeout(() => {
    fail(`no answer within ${deadlineMs / 1000} s`);
    giveUp();
  }, deadlineMs);
  const onLost = () => fail('the connection was lost');
  lost?.addEventListener('abort', onLost);
  return Promise.race([work, promise]).finally(() => {
    clearTimeout(timer);
    lost?.removeEventListener('abort', onLost);
  });
}
