import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type QueryRequest, reply } from '../kit/index.ts';
import { FilledStore } from '../kit/test-support.ts';
import { projection } from './projection.ts';
import { queries } from './queries.ts';

const at = '2026-01-01T08:00:00';
const post = {
  id: 1,
  authorId: 2,
  publicationId: null,
  slug: 'trees',
  title: 'Trees',
  body: {},
  readingMinutes: '1.00',
  status: 'published',
  publishedAt: at,
  createdAt: at,
  updatedAt: `${at}.000Z`,
};
const member = { id: 2, username: 'ada', name: 'Ada', bio: null, status: 'active', joinedAt: at };

let store: FilledStore;
const ask = (route: string, id: string, query: QueryRequest['query'] = {}) =>
  store.ask(queries, route, { params: { id }, query });

beforeAll(async () => {
  store = await FilledStore.tell(projection, [
    ['profiles', 'MemberJoined', member],
    ['profiles', 'MemberJoined', { ...member, id: 3, username: 'bob' }],
    ['posts', 'PostPublished', post],
    ['posts', 'PostPublished', { ...post, id: 4, slug: 'oaks' }],
    ['posts', 'PostPublished', { ...post, id: 5, slug: 'gone' }],
    ['posts', 'PostDeleted', { ...post, id: 5, slug: 'gone', status: 'deleted' }],
    ['claps', 'PostClapped', { memberId: 2, postId: 1, count: 3, updatedAt: `${at}.001` }],
    ['claps', 'PostClapped', { memberId: 2, postId: 4, count: 1, updatedAt: `${at}.002` }],
    ['claps', 'PostClapped', { memberId: 2, postId: 5, count: 1, updatedAt: `${at}.003` }],
    ['claps', 'PostClapped', { memberId: 3, postId: 1, count: 50, updatedAt: `${at}.000` }],
  ]);
});
afterAll(() => store.close());

const notFound = reply(404, { error: 'not-found', message: 'There is nothing here.' });

describe('claps', () => {
  it('of a post add up; who clapped most stands first', async () => {
    const members = [
      { memberId: 3, username: 'bob', count: 50 },
      { memberId: 2, username: 'ada', count: 3 },
    ];
    expect(await ask('GET /posts/:id/claps', '1')).toEqual({ postId: 1, total: 53, members });
    for (const id of ['5', '99', '01']) expect(await ask('GET /posts/:id/claps', id)).toEqual(notFound);
  });

  it('of a member are those for published posts, the latest first', async () => {
    const posts = [
      { postId: 4, title: 'Trees', slug: 'oaks', count: 1, updatedAt: `${at}.002` },
      { postId: 1, title: 'Trees', slug: 'trees', count: 3, updatedAt: `${at}.001` },
    ];
    expect(await ask('GET /members/:id/claps', '2')).toEqual({ memberId: 2, page: 1, posts });
    expect(await ask('GET /members/:id/claps', '2', { page: '2' })).toEqual({ memberId: 2, page: 2, posts: [] });
    expect(await ask('GET /members/:id/claps', '99')).toEqual(notFound);
    const malformed = { error: 'malformed', message: 'page must be a number from 1 to 99999.' };
    expect(await ask('GET /members/:id/claps', '99', { page: 'x' })).toEqual(reply(400, malformed));
  });
});
