/**
 * Wakes readers as soon as something was appended. It only saves time: a ring may get lost, so every reader polls as
 * well. `ring` is for whoever appended; `wake` for news from another process or thread, which is not relayed back.
 */
export class Doorbell {
  readonly #waiting = new Set<() => void>();
  readonly #relays = new Set<() => void>();

  ring(): void {
    this.wake();
    for (const relay of this.#relays) relay();
  }

  wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  /** Calls `relay` after each `ring`, to pass it on to other processes or threads. */
  relayTo(relay: () => void): void {
    this.#relays.add(relay);
  }

  /** Resolves at the next ring, after `timeoutMs`, or when `signal` aborts. */
  wait(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiting.add(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }
}
