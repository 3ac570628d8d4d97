/** Units a second over the last seconds: a moving window, so that a pause shows soon and a burst does not last. */
export class Rate {
  readonly #samples: { at: number; total: number }[] = [];
  readonly #windowMs: number;

  constructor(windowMs = 5000) {
    this.#windowMs = windowMs;
  }

  /** Takes the total as of `now` (ms) and returns the rate. */
  next(total: number, now = performance.now()): number {
    this.#samples.push({ at: now, total });
    while (this.#samples.length > 2 && (this.#samples[1]?.at ?? now) < now - this.#windowMs) this.#samples.shift();
    const first = this.#samples[0];
    if (!first || first.at === now) return 0;
    return Math.round(((total - first.total) / (now - first.at)) * 1000);
  }
}
