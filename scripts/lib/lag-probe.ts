import { setTimeout as sleep } from 'node:timers/promises';
import { Browser } from '../traffic/http.ts';
import { quantile } from './statistics.ts';
import type { World } from './world.ts';

/** Measures from the monolith's commit until the change can be read in a service, again and again. */
export class LagProbe {
  readonly #world: World;
  readonly #stop = new AbortController();
  readonly #samples: number[] = [];
  #running: Promise<void> | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  start(): void {
    this.#running = this.#run();
    // `stop` tells of it: until then it must not end the process.
    this.#running.catch(() => undefined);
  }

  async stop(): Promise<{ p50Ms: number; p99Ms: number }> {
    this.#stop.abort();
    await this.#running;
    const at = (share: number) => Math.round(quantile(this.#samples, share) * 10) / 10;
    return { p50Ms: at(0.5), p99Ms: at(0.99) };
  }

  async #run(): Promise<void> {
    const { database, urls, site } = this.#world;
    const service = new Browser(urls.services['profiles'] as string);
    const username = site.usernames.at(-1) as string;
    for (let n = 0; !this.#stop.signal.aborted; n++) {
      const bio = `probe ${n}`;
      await database('members').where({ username }).update({ bio });
      const committed = performance.now();
      while (!this.#stop.signal.aborted) {
        const answer = await service.send('GET', `/members/${username}`).catch(() => undefined);
        if ((answer?.body as { bio?: string } | undefined)?.bio === bio) {
          this.#samples.push(performance.now() - committed);
          break;
        }
        await sleep(1);
      }
      await sleep(100, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
    service.close();
  }
}
