import type { Knex } from 'knex';

// Only tests may import this file: random write requests about what is there, and about what is not.

export interface WriteRequest {
  route: string;
  params: Record<string, string>;
  body: unknown;
  /** Undefined: a visitor. */
  memberId: number | undefined;
}

/** Who and what requests can be about. */
interface Site {
  members: number[];
  posts: { id: number; author_id: number }[];
  publications: { slug: string; owner_id: number }[];
  submissions: { id: number; owner_id: number; post_id: number }[];
}

const ADMIN = 1;

export async function siteOf(db: Knex): Promise<Site> {
  return {
    members: await db('members').orderBy('id').pluck<number[]>('id'),
    posts: await db('posts').orderBy('id').select('id', 'author_id'),
    publications: await db('publications').orderBy('id').select('slug', 'owner_id'),
    submissions: await db('submissions as s')
      .join('publications as b', 'b.id', 's.publication_id')
      .orderBy('s.id')
      .select('s.id', 's.post_id', 'b.owner_id'),
  };
}

const BAD_IDS = ['0', '01', 'x', '4242', '999999999999999', '1000000000000000', '1.5', '🌳'];
const BAD_HANDLES = ['No', 'nobody', 'a--b', '-', 'é', 'a'.repeat(121), "a'b"];
const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });
const JUNK = [
  ...[undefined, null, true, '', ' ', 0, -1, 1.5, 51, 1e21, 2 ** 32, 'x'.repeat(2001), '🌳'.repeat(101), '\ud83c', 'A'],
  ...[
    [],
    {},
    ['A'],
    [['a']],
    ['a', 'b', 'c', 'd', 'e', 'f'],
    { blocks: [{ type: 'p' }] },
    { blocks: 1 },
    deep(10),
    deep(11),
  ],
];
const TEXTS = ['On trees 🌳', ' Größe & Ruhe ', 'O\'Neil \\ "%_"\u0000', '🌳'.repeat(100), 'a', '東京 1'];
const BODIES = [
  { blocks: [{ type: 'p', text: 'one two', a: { z: 1, b: [{ y: 1, x: 2.5 }] } }], A: 1, __: null },
  { z: -0.1, blocks: [{ type: 'p', text: 'w '.repeat(300) }], '10': 1, '9': 1e-7 },
  { blocks: [] },
  { blocks: [{ type: 'p', text: ' ' }], é: '\u0000🌳\u2028' },
  JSON.parse('{"blocks":[{"type":"h","text":"x"}],"__proto__":{"b":1,"a":2}}'),
];

/** One of few handles, so that some are taken. */
const handles = (prefix: string) => Array.from({ length: 30 }, (_, n) => `${prefix}-${n}`);

export class RequestMaker {
  readonly #next: () => number;

  constructor(next: () => number) {
    this.#next = next;
  }

  make(site: Site): WriteRequest {
    const recipes = Object.entries(this.#recipes(site));
    const [route, recipe] = this.#pick(recipes);
    const { params = {}, body, by } = recipe();
    return {
      route,
      params,
      body: this.#chance(0.04) ? this.#pick([undefined, {}, []]) : body,
      memberId: this.#who(site, by),
    };
  }

  #recipes(site: Site): Record<string, () => { params?: Record<string, string>; body?: unknown; by: number }> {
    const post = this.#pick(site.posts);
    const publication = this.#pick(site.publications);
    const submission = this.#pick([...site.submissions, { id: 4242, owner_id: 2, post_id: 1 }]);
    const member = this.#pick(site.members);
    const ofPost = { params: { id: this.#id(post.id) }, by: post.author_id };
    const slug = this.#chance(0.1) ? this.#pick(BAD_HANDLES) : publication.slug;
    const editing = {
      params: { slug, memberId: this.#id(this.#pick(site.members.slice(0, 12))) },
      by: publication.owner_id,
    };
    const deciding = { params: { id: this.#id(submission.id) }, by: submission.owner_id };
    const suspending = { params: { id: this.#id(this.#pick([ADMIN, ...site.members.slice(0, 10)])) }, by: ADMIN };
    const tags = [['go', 'rust', 'go'], ['c'], []];
    return {
      'POST /posts': () => ({
        body: this.#fields({ title: TEXTS, body: BODIES, tags, slug: [undefined, ...handles('post')] }),
        by: member,
      }),
      'PATCH /posts/:id': () => ({
        ...ofPost,
        body: this.#fields({ title: [undefined, ...TEXTS], body: [undefined, ...BODIES], tags: [undefined, ...tags] }),
      }),
      'POST /posts/:id/publish': () => ofPost,
      'PUT /posts/:id/publication': () => ({
        ...ofPost,
        body: this.#fields({ publicationId: [1, 2, 4242] }),
        by: ADMIN,
      }),
      'DELETE /posts/:id': () => ofPost,
      'POST /posts/:id/claps': () => ({
        ...ofPost,
        body: this.#fields({ count: [1, 30, 50] }),
        by: this.#pick(site.members.slice(0, 2)),
      }),
      'DELETE /posts/:id/claps': () => ({ ...ofPost, by: this.#pick(site.members.slice(0, 2)) }),
      'POST /members': () => ({
        body: this.#fields({
          username: ['me', ...handles('member')],
          name: TEXTS,
          bio: [undefined, null, ...TEXTS],
          email: ['a@b', 'a b'],
          password: ['correct horse', 'short'],
        }),
        by: member,
      }),
      'PATCH /members/me': () => ({
        body: this.#fields({ name: [undefined, ...TEXTS], bio: [undefined, null, 'b'], email: [undefined, 'c@d'] }),
        by: member,
      }),
      'POST /members/:id/suspend': () => suspending,
      'POST /members/:id/reinstate': () => suspending,
      'POST /publications': () => ({
        body: this.#fields({
          slug: handles('pub'),
          name: TEXTS,
          description: [undefined, null, 'd'],
          settings: [undefined, {}, { b: 1, a: { d: 1, c: 2 } }],
        }),
        by: member,
      }),
      'PATCH /publications/:slug': () => ({
        params: { slug },
        body: this.#fields({
          name: [undefined, ...TEXTS],
          description: [undefined, null, 'e'],
          settings: [undefined, { a: 1 }],
        }),
        by: publication.owner_id,
      }),
      'PUT /publications/:slug/editors/:memberId': () => editing,
      'DELETE /publications/:slug/editors/:memberId': () => editing,
      'POST /publications/:slug/submissions': () => ({
        params: { slug },
        body: this.#fields({ postId: [post.id] }),
        by: post.author_id,
      }),
      'POST /submissions/:id/accept': () => deciding,
      'POST /submissions/:id/refuse': () => deciding,
      'DELETE /members/:id/submissions': () => ({ params: { id: this.#id(post.author_id) }, by: ADMIN }),
    };
  }

  #fields(candidates: Record<string, readonly unknown[]>): unknown {
    const fields = Object.entries(candidates).map(([name, good]) => [
      name,
      this.#pick(this.#chance(0.06) ? JUNK : good),
    ]);
    return Object.fromEntries(fields);
  }

  #id(id: number): string {
    return this.#chance(0.1) ? this.#pick(BAD_IDS) : String(id);
  }

  #who({ members }: Site, apt: number): number | undefined {
    if (this.#chance(0.06)) return undefined;
    return this.#chance(0.12) || !members.includes(apt) ? this.#pick(members) : apt;
  }

  #chance(share: number): boolean {
    return this.#next() < share;
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#next() * from.length)] as T;
  }
}
