import { isMainThread } from 'node:worker_threads';
import type { Doorbell } from './doorbell.ts';

const CHANNEL = 'banyan.doorbell';
const RING = 'banyan:ring';

/**
 * Connects this thread's doorbell with those of the process's other threads and, on the main thread, with the process
 * that forked this one, for as long as they live.
 */
export function relayDoorbell(doorbell: Doorbell): void {
  const threads = new BroadcastChannel(CHANNEL);
  // @types/node lacks it: without `unref` an open channel keeps the process alive.
  (threads as unknown as { unref(): void }).unref();
  let underWay = false;
  // One ring at a time: while the parent has not taken it, another would only say the same.
  const passUp = () => {
    if (!isMainThread || !process.send || !process.connected || underWay) return;
    underWay = true;
    process.send(RING, undefined, undefined, () => {
      underWay = false;
    });
  };
  threads.onmessage = () => {
    doorbell.wake();
    passUp();
  };
  const onParent = (message: unknown) => {
    if (message !== RING) return;
    doorbell.wake();
    threads.postMessage(RING);
  };
  if (isMainThread) process.on('message', onParent);
  doorbell.relayTo(() => {
    threads.postMessage(RING);
    passUp();
  });
}

/** For the parent: passes a ring of one child on to the others. */
export function isRing(message: unknown): boolean {
  return message === RING;
}
