import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { reply } from '../kit/index.ts';
import { FilledStore } from '../kit/test-support.ts';
import { projection } from './projection.ts';
import { queries } from './queries.ts';

const at = '2026-01-01T08:00:00';
const ada = { id: 2, username: 'ada', name: 'Ada', bio: '☕️', status: 'active', joinedAt: at };
const zoe = { ...ada, id: 1, username: 'zoe', status: 'suspended' };
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

let store: FilledStore;

beforeAll(async () => {
  store = await FilledStore.tell(projection, [
    ['profiles', 'MemberSuspended', zoe],
    ['profiles', 'MemberJoined', ada],
    [
      'publications',
      'PublicationFounded',
      { id: 5, slug: 'figs', name: 'Figs', description: null, ownerId: 2, settings: {} },
    ],
    ['posts', 'PostPublished', post],
    ['posts', 'PostPublished', { ...post, id: 3, slug: 'oaks', publicationId: 5 }],
    ['posts', 'PostPublished', { ...post, id: 4, slug: 'gone' }],
    ['posts', 'PostDeleted', { ...post, id: 4, slug: 'gone', status: 'deleted' }],
    ['posts', 'PostDrafted', { ...post, id: 5, slug: 'draft', status: 'draft' }],
    ['claps', 'PostClapped', { memberId: 2, postId: 1, count: 3, updatedAt: `${at}.000` }],
    ['claps', 'PostClapped', { memberId: 1, postId: 1, count: 4, updatedAt: `${at}.000` }],
  ]);
});
afterAll(() => store.close());

describe('members', () => {
  it('are listed by username', async () => {
    const { bio, ...first } = ada;
    const { bio: _, ...last } = zoe;
    expect(await store.ask(queries, 'GET /members')).toEqual({ page: 1, members: [first, last] });
    expect(await store.ask(queries, 'GET /members', { query: { page: '2' } })).toEqual({ page: 2, members: [] });
    const malformed = { error: 'malformed', message: 'page must be a number from 1 to 99999.' };
    expect(await store.ask(queries, 'GET /members', { query: { page: '' } })).toEqual(reply(400, malformed));
  });

  it('are shown with their newest posts', async () => {
    const shown = { id: 3, slug: 'oaks', title: 'Trees', publishedAt: at, claps: 0 };
    const posts = [
      { ...shown, publication: { id: 5, slug: 'figs', name: 'Figs' } },
      { ...shown, id: 1, slug: 'trees', claps: 7, publication: null },
    ];
    expect(await show('ada')).toEqual({ ...ada, posts });
    expect(await show('zoe')).toEqual({ ...zoe, bio: null, posts: [] });
    for (const username of ['eve', 'Ada', 'a--b', '']) expect(await show(username)).toEqual(notFound);
  });
});

const show = (username: string) => store.ask(queries, 'GET /members/:username', { params: { username } });

const notFound = reply(404, { error: 'not-found', message: 'There is nothing here.' });
