import { setTimeout as sleep } from 'node:timers/promises';
import { Ledger } from './ledger.ts';
import { Member, type Site, type Tally } from './member.ts';
import { randomFrom } from './random.ts';

export interface TrafficOptions {
  site: Site;
  /** How many members are at it at once. */
  members: number;
  password: string;
  /** Pause of a member between two actions, ms, on average. */
  pauseMs: number;
  seed: number;
}

/** Mixed traffic through the router: counts what it sent, what failed, and what it was promised. */
export class Traffic {
  readonly ledger = new Ledger();
  readonly tally: Tally = { requests: 0, failed: 0, examples: [] };
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(options: TrafficOptions) {
    this.#running = Promise.all(Array.from({ length: options.members }, (_, i) => this.#run(options, i)));
    // `stop` tells of it: until then it must not end the process.
    this.#running.catch(() => undefined);
  }

  /** Lets every action under way finish. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run({ site, password, pauseMs, seed }: TrafficOptions, i: number): Promise<void> {
    const random = randomFrom(seed * 1000 + i);
    const username = site.usernames[(i + 1) % site.usernames.length] as string;
    const member = new Member(site, username, this.ledger, this.tally, random);
    await member.signIn(password);
    while (!this.#stop.signal.aborted) {
      await member.act();
      await sleep(random() * pauseMs * 2, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
    member.browser.close();
  }
}
