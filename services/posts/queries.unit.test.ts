import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type QueryRequest, reply } from '../kit/index.ts';
import { FilledStore } from '../kit/test-support.ts';
import { projection } from './projection.ts';
import { queries } from './queries.ts';

const post = {
  id: 1,
  authorId: 2,
  publicationId: null,
  slug: 'trees',
  title: 'Trees 🌳',
  body: { blocks: [] },
  readingMinutes: '4.50',
  status: 'published',
  publishedAt: '2026-01-02T08:00:00',
  createdAt: '2026-01-01T08:00:00',
  updatedAt: '2026-01-02T08:00:00.000Z',
};
const draft = { ...post, id: 3, slug: 'draft', status: 'draft', publishedAt: null };
const ada = { id: 2, username: 'ada', name: 'Ada', bio: null, status: 'active', joinedAt: '2026-01-01T08:00:00' };
const claps = { postId: 1, updatedAt: '2026-01-02T08:00:00.000' };
const figs = { id: 5, slug: 'figs', name: 'Figs', description: null, ownerId: 2, settings: {} };

const summary = {
  id: 1,
  slug: 'trees',
  title: 'Trees 🌳',
  author: { id: 2, username: 'ada', name: 'Ada' },
  publication: null,
  tags: ['a', 'go'],
  readingMinutes: '4.50',
  claps: 12,
  publishedAt: '2026-01-02T08:00:00',
};
const inPublication = {
  ...summary,
  id: 2,
  slug: 'oaks',
  publication: { id: 5, slug: 'figs', name: 'Figs' },
  tags: ['go'],
  claps: 0,
};

let store: FilledStore;
const ask = (route: string, request?: Partial<QueryRequest>) => store.ask(queries, route, request);

beforeAll(async () => {
  store = await FilledStore.tell(projection, [
    ['profiles', 'MemberJoined', ada],
    ['publications', 'PublicationFounded', figs],
    ['posts', 'PostPublished', post],
    ['posts', 'PostPublished', { ...post, id: 2, slug: 'oaks', publicationId: 5 }],
    ['posts', 'PostDrafted', draft],
    ['posts', 'PostDrafted', { ...draft, id: 4, slug: 'younger', updatedAt: '2026-01-03T08:00:00.000Z' }],
    ['posts', 'PostPublished', { ...post, id: 5, slug: 'gone' }],
    ['posts', 'PostDeleted', { ...post, id: 5, slug: 'gone', status: 'deleted' }],
    ...[
      [1, 'go'],
      [1, 'a'],
      [1, 'untagged'],
      [2, 'go'],
      [3, 'draft'],
    ].map(([postId, tag]) => ['posts', 'PostTagged', { postId, tag }] as const),
    ['posts', 'PostUntagged', { postId: 1, tag: 'untagged' }],
    ['claps', 'PostClapped', { ...claps, memberId: 2, count: 5 }],
    ['claps', 'PostClapped', { ...claps, memberId: 2, count: 7 }],
    ['claps', 'PostClapped', { ...claps, memberId: 9, count: 5 }],
    ['claps', 'PostClapped', { ...claps, memberId: 8, count: 50 }],
    ['claps', 'ClapsTakenBack', { postId: 1, memberId: 8 }],
  ]);
});
afterAll(() => store.close());

const notFound = reply(404, { error: 'not-found', message: 'There is nothing here.' });
const badPage = reply(400, { error: 'malformed', message: 'page must be a number from 1 to 99999.' });

describe('posts are listed', () => {
  it('newest first, each with author, publication, tags and the sum of its claps', async () => {
    expect(await ask('GET /posts')).toEqual({ page: 1, posts: [inPublication, summary] });
    expect(await ask('GET /posts', { query: { page: '2' } })).toEqual({ page: 2, posts: [] });
    expect(await ask('GET /posts', { query: { page: ['1', '1'] } })).toEqual(badPage);
  });

  it('by tag', async () => {
    expect(await ask('GET /tags')).toEqual({
      tags: [
        { tag: 'go', posts: 2 },
        { tag: 'a', posts: 1 },
      ],
    });
    expect(await ask('GET /tags/:tag', { params: { tag: 'a' } })).toEqual({ tag: 'a', page: 1, posts: [summary] });
    expect(await ask('GET /tags/:tag', { params: { tag: 'A' }, query: { page: '0' } })).toEqual(notFound);
  });

  it('as drafts to their author', async () => {
    const drafts = (await ask('GET /me/drafts', { identity: { id: 2 } })) as { posts: object[] };
    expect(drafts.posts).toMatchObject([
      { id: 4, updatedAt: '2026-01-03T08:00:00.000Z' },
      { id: 3, publishedAt: null },
    ]);
    expect(await ask('GET /me/drafts', { identity: { id: 9 } })).toEqual({ posts: [] });
    expect(await ask('GET /me/drafts')).toEqual(reply(401, { error: 'not-signed-in', message: 'Sign in first.' }));
  });
});

describe('a post is shown', () => {
  it('in full, by id and by slug', async () => {
    const { status, body, createdAt, updatedAt } = post;
    const full = { ...summary, status, body, createdAt, updatedAt };
    expect(await ask('GET /posts/:id', { params: { id: '1' } })).toEqual(full);
    expect(await ask('GET /posts/by-slug/:slug', { params: { slug: 'trees' } })).toEqual(full);
  });

  it('to its author alone while it is a draft, and to nobody when it was deleted', async () => {
    const show = (id: string, identity?: { id: number }) => ask('GET /posts/:id', { params: { id }, identity });
    expect(await show('3', { id: 2 })).toMatchObject({ id: 3, status: 'draft' });
    for (const id of ['3', '5', '99', '0', 'x']) expect(await show(id, { id: 9 })).toEqual(notFound);
    expect(await show('5', { id: 2 })).toEqual(notFound);
  });
});
