import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type QueryRequest, reply } from '../kit/index.ts';
import { FilledStore } from '../kit/test-support.ts';
import { projection } from './projection.ts';
import { queries } from './queries.ts';

const at = '2026-01-01T08:00:00';
const member = { id: 2, username: 'ada', name: 'Ada', bio: null, status: 'active', joinedAt: at };
const figs = { id: 5, slug: 'figs', name: 'Figs', description: null, ownerId: 2, settings: { a: [], b: 1 } };
const post = {
  id: 1,
  authorId: 3,
  publicationId: 5,
  slug: 'trees',
  title: 'Trees',
  body: {},
  readingMinutes: '1.00',
  status: 'published',
  publishedAt: at,
  createdAt: at,
  updatedAt: `${at}.000Z`,
};
const submission = {
  id: 1,
  publicationId: 5,
  postId: 1,
  authorId: 3,
  status: 'pending',
  submittedAt: at,
  decidedAt: null,
};

let store: FilledStore;
const ask = (route: string, slug: string, identity?: QueryRequest['identity']) =>
  store.ask(queries, route, { params: { slug }, identity });

beforeAll(async () => {
  store = await FilledStore.tell(projection, [
    ['profiles', 'MemberJoined', member],
    ['profiles', 'MemberJoined', { ...member, id: 3, username: 'bob', name: 'Bob' }],
    ['publications', 'PublicationFounded', figs],
    ['publications', 'PublicationFounded', { ...figs, id: 6, slug: 'elms' }],
    ['publications', 'EditorAdded', { publicationId: 5, memberId: 3 }],
    ['publications', 'EditorAdded', { publicationId: 5, memberId: 2 }],
    ['publications', 'EditorRemoved', { publicationId: 5, memberId: 2 }],
    ['publications', 'SubmissionReceived', submission],
    ['publications', 'SubmissionReceived', { ...submission, id: 2 }],
    ['publications', 'SubmissionAccepted', { ...submission, status: 'accepted', decidedAt: at }],
    ['posts', 'PostPublished', post],
    ['posts', 'PostPublished', { ...post, id: 2 }],
    ['posts', 'PostDeleted', { ...post, id: 2, status: 'deleted' }],
  ]);
});
afterAll(() => store.close());

const owner = { id: 2, username: 'ada', name: 'Ada' };
const bob = { id: 3, username: 'bob', name: 'Bob' };
const notFound = reply(404, { error: 'not-found', message: 'There is nothing here.' });

describe('publications', () => {
  const head = { id: 5, slug: 'figs', name: 'Figs', description: null, owner };

  it('are listed by slug', async () => {
    const publications = [{ ...head, id: 6, slug: 'elms' }, head];
    expect(await ask('GET /publications', '')).toEqual({ publications });
  });

  it('are shown with editors and newest posts', async () => {
    const posts = [{ id: 1, slug: 'trees', title: 'Trees', author: bob, publishedAt: at }];
    const shown = { ...head, settings: { a: [], b: 1 }, editors: [bob], posts };
    expect(await ask('GET /publications/:slug', 'figs')).toEqual(shown);
    for (const slug of ['oaks', 'Figs', 'f'.repeat(121)])
      expect(await ask('GET /publications/:slug', slug)).toEqual(notFound);
  });
});

describe('submissions', () => {
  const list = (slug: string, identity?: QueryRequest['identity']) =>
    ask('GET /publications/:slug/submissions', slug, identity);

  it('are listed for owner and editors, the newest first', async () => {
    const publication = { id: 5, slug: 'figs', name: 'Figs' };
    const view = { publication, post: { id: 1, slug: 'trees', title: 'Trees' }, author: bob };
    const submissions = [
      { id: 2, ...view, status: 'pending', submittedAt: at, decidedAt: null },
      { id: 1, ...view, status: 'accepted', submittedAt: at, decidedAt: at },
    ];
    expect(await list('figs', { id: 2 })).toEqual({ submissions });
    expect(await list('figs', { id: 3 })).toEqual({ submissions });
  });

  it('are nobody else’s business', async () => {
    expect(await list('nothing')).toEqual(reply(401, { error: 'not-signed-in', message: 'Sign in first.' }));
    expect(await list('nothing', { id: 3 })).toEqual(notFound);
    const forbidden = { error: 'forbidden', message: 'This is for the owner and the editors.' };
    expect(await list('elms', { id: 3 })).toEqual(reply(403, forbidden));
  });
});
