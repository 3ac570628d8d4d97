export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long it stays open before it lets one request through as a probe. */
  readonly delayMs: number;
}

export type BreakerState = 'closed' | 'open' | 'probing';

/**
 * Keeps requests away from a service that fails.
 *
 * | state   | entered by                      | left by                                               |
 * | ------- | ------------------------------- | ----------------------------------------------------- |
 * | closed  | a success, in any state         | the last of `failures` in a row → open                |
 * | open    | failures in a row; failed probe | the first request after `delayMs` → probing           |
 * | probing | that request                    | its success → closed; its failure, or its end → open  |
 *
 * Requests that were sent before it opened end later and count like any other: their success is news as good as the
 * probe's. Times are of a clock that is never set back.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #changed: (state: BreakerState) => void;
  #state: BreakerState = 'closed';
  #failures = 0;
  #probeAt = 0;

  constructor(options: BreakerOptions, changed: (state: BreakerState) => void = () => {}) {
    this.#options = options;
    this.#changed = changed;
  }

  get state(): BreakerState {
    return this.#state;
  }

  admits(now: number): boolean {
    return this.#state === 'closed' || (this.#state === 'open' && now >= this.#probeAt);
  }

  /** A request that was admitted is sent. */
  sent(): void {
    if (this.#state === 'open') this.#become('probing');
  }

  succeeded(): void {
    this.#failures = 0;
    if (this.#state !== 'closed') this.#become('closed');
  }

  failed(now: number): void {
    this.#failures++;
    if (this.#state === 'open') return;
    if (this.#state === 'closed' && this.#failures < this.#options.failures) return;
    this.#probeAt = now + this.#options.delayMs;
    this.#become('open');
  }

  /** A request ended without telling anything of the service, as when the client left. */
  abandoned(): void {
    if (this.#state === 'probing') this.#become('open');
  }

  #become(state: BreakerState): void {
    this.#state = state;
    this.#changed(state);
  }
}
