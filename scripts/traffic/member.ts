import { randomUUID } from 'node:crypto';
import { type Answer, Browser } from './http.ts';
import { aggregate, fact, type Ledger } from './ledger.ts';

/** What a request may answer by the monolith's rules; anything else is a failure. */
type Allowed = readonly number[];

export interface Site {
  origin: string;
  posts: number;
  publications: readonly string[];
  tags: readonly string[];
  usernames: readonly string[];
}

export interface Tally {
  requests: number;
  failed: number;
  /** The first failures, for people. */
  examples: string[];
}

interface OwnPost {
  id: number;
  slug: string;
  title: string;
  status: 'draft' | 'published' | 'deleted';
}

/** One signed-in member: reads and writes in turn, and checks that it sees its own writes. */
export class Member {
  readonly browser: Browser;
  readonly #site: Site;
  readonly #ledger: Ledger;
  readonly #tally: Tally;
  readonly #random: () => number;
  readonly username: string;
  #id = 0;
  #posts: OwnPost[] = [];
  /** Post → own claps, as last acknowledged; undefined after an unknown outcome. */
  readonly #claps = new Map<number, number | undefined>();

  constructor(site: Site, username: string, ledger: Ledger, tally: Tally, random: () => number) {
    this.browser = new Browser(site.origin);
    this.#site = site;
    this.username = username;
    this.#ledger = ledger;
    this.#tally = tally;
    this.#random = random;
  }

  async signIn(password: string): Promise<void> {
    await this.#expect('POST', '/login', [204], { username: this.username, password });
    const session = await this.#expect('GET', '/session', [200]);
    this.#id = (session?.body as { member: { id: number } } | undefined)?.member.id ?? 0;
  }

  /** One action. */
  async act(): Promise<void> {
    const roll = this.#random();
    if (roll < 0.74) return this.#read();
    if (roll < 0.86) return this.#clap();
    if (roll < 0.88) return this.#takeBack();
    if (roll < 0.92) return this.#draft();
    if (roll < 0.96) return this.#edit();
    if (roll < 0.98) return this.#describeSelf();
    return this.#submit();
  }

  async #read(): Promise<void> {
    const { posts, publications, tags, usernames } = this.#site;
    const id = 1 + this.#below(posts);
    const routes: [string, Allowed][] = [
      [`/posts?page=${1 + this.#below(3)}`, [200]],
      [`/posts/${id}`, [200, 404]],
      [`/posts/${id}/claps`, [200, 404]],
      [`/tags/${this.#pick(tags)}`, [200]],
      [`/members/${this.#pick(usernames)}`, [200]],
      [`/members/${1 + this.#below(usernames.length)}/claps`, [200]],
      [`/publications/${this.#pick(publications)}`, [200]],
      ['/publications', [200]],
      ['/me/drafts', [200]],
      ['/me/lists', [200]],
      ['/members', [200]],
    ];
    const [path, allowed] = this.#pick(routes);
    await this.#expect('GET', path, allowed);
  }

  async #clap(): Promise<void> {
    const post = 1 + this.#below(this.#site.posts);
    const name = aggregate.claps(this.#id, post);
    const count = 1 + this.#below(3);
    const answer = await this.#write('POST', `/posts/${post}/claps`, [200, 404, 422], { count }, () => {
      this.#claps.set(post, undefined);
    });
    if (answer?.status !== 200) return;
    const { count: own } = answer.body as { count: number };
    const before = this.#claps.get(post);
    if (before !== undefined && own !== before + count)
      this.#fail(`claps of ${name} went from ${before} by ${count} to ${own}`);
    this.#claps.set(post, own);
    this.#ledger.acknowledge(name, fact.claps(own));
  }

  async #takeBack(): Promise<void> {
    const post = [...this.#claps.keys()].at(-1);
    if (post === undefined) return;
    const answer = await this.#write('DELETE', `/posts/${post}/claps`, [200, 404], undefined, () =>
      this.#claps.set(post, undefined),
    );
    if (answer?.status !== 200) return;
    // Taking back nothing changes no row, so there is nothing to find again.
    if ((this.#claps.get(post) ?? 0) > 0) this.#ledger.acknowledge(aggregate.claps(this.#id, post), fact.claps(0));
    this.#claps.set(post, 0);
  }

  async #draft(): Promise<void> {
    const title = `Draft ${randomUUID()}`;
    const body = { blocks: [{ type: 'paragraph', text: `Words 🌳 ${title}` }] };
    const created = await this.#write('POST', '/posts', [201], { title, body, tags: ['traffic'] });
    if (created?.status !== 201) return;
    const post: OwnPost = { ...(created.body as OwnPost), title };
    this.#posts = [...this.#posts.slice(-20), post];
    this.#ledger.acknowledge(aggregate.post(post.id), fact.title(title), fact.status('draft'));
    await this.#mustShow(`/posts/${post.id}`, { title, status: 'draft' });
    if (this.#random() < 0.3) return;
    const published = await this.#write('POST', `/posts/${post.id}/publish`, [200], undefined, () =>
      this.#forget(post),
    );
    if (published?.status !== 200) return;
    post.status = 'published';
    this.#ledger.acknowledge(aggregate.post(post.id), fact.status('published'));
    await this.#mustShow(`/posts/by-slug/${post.slug}`, { id: post.id, status: 'published' });
  }

  async #edit(): Promise<void> {
    const post = this.#posts.find(({ status }) => status !== 'deleted');
    if (!post) return;
    if (this.#random() < 0.1) {
      const answer = await this.#write('DELETE', `/posts/${post.id}`, [204], undefined, () => this.#forget(post));
      if (answer?.status !== 204) return;
      this.#forget(post);
      this.#ledger.acknowledge(aggregate.post(post.id), fact.status('deleted'));
      await this.#expect('GET', `/posts/${post.id}`, [404]);
      return;
    }
    const title = `Edited ${randomUUID()}`;
    const answer = await this.#write('PATCH', `/posts/${post.id}`, [200], { title }, () => this.#forget(post));
    if (answer?.status !== 200) return;
    this.#ledger.acknowledge(aggregate.post(post.id), fact.title(title));
    await this.#mustShow(`/posts/${post.id}`, { title });
  }

  async #describeSelf(): Promise<void> {
    const bio = `I am ${randomUUID()} ☕`;
    const answer = await this.#write('PATCH', '/members/me', [200], { bio });
    if (answer?.status !== 200) return;
    this.#ledger.acknowledge(aggregate.member(this.#id), fact.bio(bio));
    await this.#mustShow(`/members/${this.username}`, { bio });
  }

  async #submit(): Promise<void> {
    const post = this.#posts.find(({ status }) => status === 'published');
    if (!post) return;
    const path = `/publications/${this.#pick(this.#site.publications)}/submissions`;
    const answer = await this.#write('POST', path, [201, 422], { postId: post.id });
    if (answer?.status !== 201) return;
    const { id } = answer.body as { id: number };
    this.#ledger.acknowledge(aggregate.submission(id), fact.status('pending'));
  }

  #forget(post: OwnPost): void {
    this.#posts = this.#posts.filter((other) => other !== post);
  }

  /** A member must see its own writes, whoever answers. */
  async #mustShow(path: string, expected: Record<string, unknown>): Promise<void> {
    const answer = await this.#expect('GET', path, [200]);
    if (!answer) return;
    const body = answer.body as Record<string, unknown>;
    for (const [key, value] of Object.entries(expected)) {
      if (body[key] === value) continue;
      this.#fail(
        `GET ${path} (${answer.headers['banyan-served-by']}) shows ${key} ${String(body[key])}, not the acknowledged ${String(value)}`,
      );
    }
  }

  async #write(
    method: string,
    path: string,
    allowed: Allowed,
    body?: unknown,
    onUnknown?: () => void,
  ): Promise<Answer | undefined> {
    const answer = await this.#expect(method, path, allowed, body);
    if (!answer) onUnknown?.();
    return answer;
  }

  /** The answer if the rules allow it; a failure otherwise. */
  async #expect(method: string, path: string, allowed: Allowed, body?: unknown): Promise<Answer | undefined> {
    this.#tally.requests++;
    try {
      const answer = await this.browser.send(method, path, body);
      if (allowed.includes(answer.status)) return answer;
      this.#fail(
        `${method} ${path} answered ${answer.status} ${JSON.stringify(answer.body)?.slice(0, 200)} (${answer.headers['banyan-served-by']})`,
      );
    } catch (error) {
      this.#fail(`${method} ${path}: ${(error as Error).message}`);
    }
    return undefined;
  }

  #fail(what: string): void {
    this.#tally.failed++;
    if (this.#tally.examples.length < 10) this.#tally.examples.push(what);
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T;
  }
}
