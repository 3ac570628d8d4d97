import { serviceFault } from '../../errors.ts';

/**
 * Waits no longer than this: a server that hangs counts as one that does not answer. The driver's own time-out would keep
 * its timer when the connection is lost, and with it the process.
 *
 * @throws BNY-SERVICE-STORE-UNREACHABLE
 */
export async function within<T>(deadlineMs: number, work: Promise<T>, giveUp: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      giveUp();
      reject(serviceFault('BNY-SERVICE-STORE-UNREACHABLE', { found: `no answer within ${deadlineMs / 1000} s` }));
    }, deadlineMs);
  });
  return Promise.race([work, deadline]).finally(() => clearTimeout(timer));
}
