interface Held {
  readonly domain: string;
  release(moved: boolean): void;
}

/** Writes that wait while their domain changes its owner, and those that a monolith has under way before it does. */
export class Holds {
  readonly #most: number;
  readonly #longestMs: number;
  readonly #held = new Set<Held>();
  readonly #underWay = new Map<string, number>();
  #drained: (() => void)[] = [];

  constructor(limits: { readonly maxHeld: number; readonly holdTimeoutMs: number }) {
    this.#most = limits.maxHeld;
    this.#longestMs = limits.holdTimeoutMs;
  }

  /** True once the domain is held no longer; false when that takes too long, too many wait already, or `left` aborts. */
  wait(domain: string, left: AbortSignal): Promise<boolean> {
    if (this.#held.size >= this.#most || left.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const late = setTimeout(() => held.release(false), this.#longestMs);
      const leave = () => held.release(false);
      const held: Held = {
        domain,
        release: (moved) => {
          clearTimeout(late);
          left.removeEventListener('abort', leave);
          this.#held.delete(held);
          resolve(moved);
        },
      };
      left.addEventListener('abort', leave, { once: true });
      this.#held.add(held);
    });
  }

  /** In the order in which they came. */
  release(isHeld: (domain: string) => boolean): void {
    for (const held of this.#held) if (!isHeld(held.domain)) held.release(true);
  }

  began(domain: string): void {
    this.#underWay.set(domain, (this.#underWay.get(domain) ?? 0) + 1);
  }

  ended(domain: string): void {
    this.#underWay.set(domain, (this.#underWay.get(domain) ?? 1) - 1);
    if (this.#underWay.get(domain) !== 0) return;
    this.#underWay.delete(domain);
    const waiting = this.#drained;
    this.#drained = [];
    for (const look of waiting) look();
  }

  /** Returns when the monolith has none of the domain's writes under way. */
  async drained(domain: string): Promise<void> {
    while (this.#underWay.has(domain)) await new Promise<void>((resolve) => this.#drained.push(resolve));
  }
}
