import { setTimeout as sleep } from 'node:timers/promises';
import { DOMAINS, type World } from '../lib/world.ts';
import { type Answer, Browser } from '../traffic/http.ts';

/** Routes compared side by side at a time. */
const AT_ONCE = 8;

/**
 * Fetches routes from the monolith and from the service that would answer them, and counts where status or body
 * differ. Signed out: what a member alone may see is the parity test's matter.
 */
export async function compareRoutes(
  world: World,
  paths: Record<string, readonly string[]>,
): Promise<{ compared: number; different: string[] }> {
  const monolith = new Browser(world.urls.monolith);
  const different: string[] = [];
  let compared = 0;
  for (const [domain, list] of Object.entries(paths)) {
    const service = new Browser(world.urls.services[domain] as string);
    const queue = [...list];
    const worker = async () => {
      for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
        const [expected, found] = await Promise.all([monolith.send('GET', path), service.send('GET', path)]);
        compared++;
        if (!same(expected, found)) different.push(`${domain} ${path}: ${show(expected)} / ${show(found)}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    service.close();
  }
  monolith.close();
  return { compared, different };
}

function same(a: Answer, b: Answer): boolean {
  return a.status === b.status && JSON.stringify(a.body) === JSON.stringify(b.body);
}

function show({ status, body }: Answer): string {
  return `${status} ${JSON.stringify(body)?.slice(0, 150)}`;
}

/** Every route of every domain, for ids as they stand in the monolith's tables; at most `limit` of a kind. */
export async function everyRoute(world: World, limit: number): Promise<Record<string, string[]>> {
  const { database, site } = world;
  const posts: { id: number; slug: string }[] = await database('posts').orderBy('id').select('id', 'slug');
  const some = <T>(list: readonly T[]) => list.filter((_, i) => i % Math.ceil(list.length / limit) === 0);
  return {
    posts: [
      '/posts',
      '/posts?page=2',
      '/tags',
      ...some(posts).flatMap(({ id, slug }) => [`/posts/${id}`, `/posts/by-slug/${slug}`]),
      ...some(site.tags).map((tag) => `/tags/${tag}`),
    ],
    claps: [
      ...some(posts).map(({ id }) => `/posts/${id}/claps`),
      ...some(site.usernames).map((_, i) => `/members/${i + 1}/claps`),
    ],
    profiles: ['/members', '/members?page=2', ...some(site.usernames).map((name) => `/members/${name}`)],
    publications: ['/publications', ...some(site.publications).map((slug) => `/publications/${slug}`)],
  };
}

/** Waits until the services have applied all that the monolith had committed at the call. */
export async function caughtUp(world: World, domains = DOMAINS, timeoutMs = 60_000): Promise<void> {
  const since = Date.now();
  for (const domain of domains) {
    const url = world.urls.services[domain] as string;
    for (;;) {
      const freshAt = await fetch(`${url}/readyz`).then(
        async (response) => ((await response.json()) as { freshAt?: number }).freshAt ?? 0,
        () => 0,
      );
      if (freshAt > since) break;
      if (Date.now() > since + timeoutMs) throw new Error(`${url} has not caught up`);
      await sleep(50);
    }
  }
}
