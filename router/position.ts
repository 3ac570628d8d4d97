/** A position whose value is not known; whoever shows it is served by the monolith. */
export const UNKNOWN_POSITION = 'monolith';

export function isPosition(value: string): boolean {
  return /^[0-9A-Za-z:._-]{1,100}$/.test(value);
}

export interface PositionLookupOptions {
  readonly head: () => Promise<string>;
  /** How long one caller waits. A query that takes longer no longer holds up the next one. */
  readonly timeoutMs: number;
  /** A caller was left without a position, because time ran out or because `head` failed. */
  readonly missed: (why: 'timeout' | 'error', error?: unknown) => void;
}

/** Queries that hang may not pile up without end. */
const MAX_RUNNING = 4;

/**
 * Asks for the source's newest position, once for all callers that wait.
 *
 * A caller shares only a query that starts after its call. One that was under way may already have read a position that
 * is older than the caller's write, so the caller waits for its end and for the next query, together with all others
 * that came meanwhile.
 */
export class PositionLookup {
  readonly #options: PositionLookupOptions;
  #waiting = new Set<(position: string) => void>();
  #running = 0;
  /** A query is under way that is still in its time. */
  #busy: boolean = false;

  constructor(options: PositionLookupOptions) {
    this.#options = options;
  }

  /** {@link UNKNOWN_POSITION} when none can be had in time. */
  newest(): Promise<string> {
    return new Promise((resolve) => {
      const answer = (position: string) => {
        clearTimeout(timer);
        resolve(position);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(answer);
        this.#options.missed('timeout');
        resolve(UNKNOWN_POSITION);
      }, this.#options.timeoutMs);
      this.#waiting.add(answer);
      this.#queryIfWanted();
    });
  }

  #queryIfWanted(): void {
    if (!this.#busy && this.#waiting.size > 0 && this.#running < MAX_RUNNING) void this.#query();
  }

  async #query(): Promise<void> {
    const sharers = this.#waiting;
    this.#waiting = new Set();
    this.#running++;
    this.#busy = true;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#busy = false;
      this.#queryIfWanted();
    }, this.#options.timeoutMs);
    const position = await this.#ask();
    clearTimeout(timer);
    this.#running--;
    if (!late) this.#busy = false;
    for (const answer of sharers) answer(position);
    this.#queryIfWanted();
  }

  async #ask(): Promise<string> {
    try {
      const position = await this.#options.head();
      if (isPosition(position)) return position;
      throw new TypeError(`head() gave a position that cannot stand in a header: ${JSON.stringify(position)}`);
    } catch (error) {
      this.#options.missed('error', error);
      return UNKNOWN_POSITION;
    }
  }
}
