import { describe, expect, it } from '@jest/globals';
import { type CommandRequest, given } from '../kit/index.ts';
import { ADA, ADMIN, BO, DELETED, DRAFT, FIGS, MEMBERS, POST, SUSPENDED } from '../test-members.ts';
import { posts } from './domain.ts';

const NOW = '2026-01-01T09:10:11.120Z';
const EMPTY = { ...DRAFT, id: 10, slug: 'empty', body: { blocks: [{ text: ' ', type: 'p' }] } };
const PLACED = { ...POST, id: 11, slug: 'placed', publicationId: 6 };
const OAKS = { ...FIGS, id: 6, slug: 'oaks' };

const when = (route: string, request: Partial<CommandRequest>) =>
  given(
    posts,
    ...MEMBERS,
    ['publications', 'PublicationFounded', FIGS],
    ['publications', 'PublicationFounded', OAKS],
    ['posts', 'PostPublished', POST],
    ['posts', 'PostTagged', { postId: 7, tag: 'go' }],
    ['posts', 'PostDrafted', DRAFT],
    ['posts', 'PostDeleted', DELETED],
    ['posts', 'PostDrafted', EMPTY],
    ['posts', 'PostPublished', PLACED],
  ).when(route, { identity: ADA, params: { id: '7' }, now: NOW, ...request });

const body = { blocks: [{ type: 'p', text: 'w '.repeat(460), a: { z: 1, y: 2 } }], A: 1 };
const inOrder = { A: 1, blocks: [{ a: { y: 2, z: 1 }, text: 'w '.repeat(460), type: 'p' }] };
const valid: Record<string, object> = {
  'POST /posts': { title: 'Oaks', body },
  'PATCH /posts/:id': { title: 'Oaks' },
  'PUT /posts/:id/publication': { publicationId: 5 },
};
const OWN = ['PATCH /posts/:id', 'POST /posts/:id/publish', 'DELETE /posts/:id'];

describe.each(posts.routes.writes.map(({ method, path }) => `${method} ${path}`))('%s', (route) => {
  it.each<[string, Partial<CommandRequest>, number, string]>([
    ['a visitor', { identity: undefined }, 401, 'not-signed-in'],
    ['a suspended member', { identity: SUSPENDED }, 403, 'suspended'],
    ['broken text', { body: { '\ud83c': 1 } }, 400, 'malformed'],
  ])('refuses %s', async (_, request, status, error) => {
    expect(await when(route, { body: valid[route], ...request })).toMatchObject({
      status,
      body: { error },
      events: [],
    });
  });
});

describe.each(OWN)('%s', (route) => {
  it.each<[string, Partial<CommandRequest>, number, string]>([
    ['what is no id', { params: { id: 'x' } }, 404, 'not-found'],
    ['a post that is not there', { params: { id: '70' } }, 404, 'not-found'],
    ['a deleted post', { params: { id: '9' } }, 404, 'not-found'],
    ["another's draft", { params: { id: '8' }, identity: BO }, 404, 'not-found'],
    ["another's post", { identity: BO }, 403, 'forbidden'],
  ])('refuses %s', async (_, request, status, error) => {
    expect(await when(route, { body: valid[route], ...request })).toMatchObject({
      status,
      body: { error },
      events: [],
    });
  });
});

describe('POST /posts', () => {
  const write = (input: object) => when('POST /posts', { body: { title: 'Größe 🌳', body, ...input } });

  it.each([
    { title: undefined },
    { title: ' ' },
    { title: '🌳'.repeat(201) },
    { body: undefined },
    { body: { blocks: [{ type: 'p' }] } },
    { body: { blocks: [], deep: [[[[[[[[[[1]]]]]]]]]] } },
    { tags: 'go' },
    { tags: ['a', 'b', 'c', 'd', 'e', 'f'] },
    { tags: ['Go'] },
    { slug: 'No' },
    { title: '東京' },
  ])('refuses %j', async (input) => {
    expect(await write(input)).toMatchObject({ status: 400, body: { error: 'malformed' }, events: [] });
  });

  it.each(['trees', 'gone'])('refuses the slug %s, which is taken', async (slug) => {
    const refusal = { error: 'taken', message: 'This slug is taken.' };
    expect(await write({ slug })).toEqual({ status: 409, body: refusal, headers: {}, events: [] });
  });

  it('makes a draft', async () => {
    const { status, headers, body: answer, events } = await write({ tags: ['rust', 'go', 'rust'] });
    const data = {
      ...DRAFT,
      id: 1001,
      slug: 'gro-e',
      title: 'Größe 🌳',
      body: inOrder,
      readingMinutes: '2.00',
      createdAt: '2026-01-01T09:10:11',
      updatedAt: NOW,
    };
    expect([status, headers]).toEqual([201, { location: '/posts/1001' }]);
    expect(events).toEqual([
      { type: 'PostDrafted', key: 1001, data },
      { type: 'PostTagged', key: 1001, data: { postId: 1001, tag: 'go' } },
      { type: 'PostTagged', key: 1001, data: { postId: 1001, tag: 'rust' } },
    ]);
    const { id: authorId, username, name } = ADA;
    const { authorId: _, publicationId: __, ...shown } = data;
    const author = { id: authorId, username, name };
    expect(answer).toEqual({ ...shown, author, publication: null, tags: ['go', 'rust'], claps: 0 });
    expect(JSON.stringify(answer)).toContain(JSON.stringify(inOrder));
  });
});

describe('PATCH /posts/:id', () => {
  const edit = (input: unknown, request = {}) => when('PATCH /posts/:id', { body: input, ...request });

  it.each([{}, [], undefined, { slug: 'new' }, { title: null }, { body: null }, { tags: 1 }])(
    'refuses %j',
    async (input) => {
      expect(await edit(input)).toMatchObject({ status: 400, body: { error: 'malformed' }, events: [] });
    },
  );

  it('sets what was sent, and leaves the reading time to the night', async () => {
    const { status, body: answer, events } = await edit({ title: 'Oaks', body, tags: ['c'] });
    const data = { ...POST, title: 'Oaks', body: inOrder, updatedAt: NOW, changed: ['title', 'body', 'updatedAt'] };
    expect(events).toEqual([
      { type: 'PostEdited', key: 7, data },
      { type: 'PostUntagged', key: 7, data: { postId: 7, tag: 'go' } },
      { type: 'PostTagged', key: 7, data: { postId: 7, tag: 'c' } },
    ]);
    expect({ status, answer }).toMatchObject({ status: 200, answer: { id: 7, title: 'Oaks', tags: ['c'] } });
  });

  it('says nothing when nothing has changed', async () => {
    const outcome = await edit({ title: POST.title, tags: ['go'] }, { now: POST.updatedAt });
    expect(outcome).toMatchObject({ status: 200, events: [] });
  });
});

describe('POST /posts/:id/publish', () => {
  const publish = (id: string) => when('POST /posts/:id/publish', { params: { id } });

  it('refuses a post without words', async () => {
    expect(await publish('10')).toMatchObject({ status: 422, body: { error: 'empty-post' }, events: [] });
  });

  it('publishes a draft', async () => {
    const data = { ...DRAFT, status: 'published', publishedAt: '2026-01-01T09:10:11', updatedAt: NOW };
    const event = { type: 'PostPublished', key: 8, data };
    expect(await publish('8')).toMatchObject({ status: 200, body: { status: 'published' }, events: [event] });
  });

  it('leaves what is published', async () => {
    expect(await publish('7')).toMatchObject({ status: 200, body: { status: 'published' }, events: [] });
  });
});

describe('PUT /posts/:id/publication', () => {
  const place = (id: string, publicationId: unknown = 5, identity: object = ADMIN) =>
    when('PUT /posts/:id/publication', { params: { id }, body: { publicationId }, identity: { ...identity } });

  it.each<[string, ReturnType<typeof place>, number, string]>([
    ['what is no id', place('x'), 404, 'not-found'],
    ['what is no publication', place('7', '5'), 400, 'malformed'],
    ['all but the administrator', place('7', 5, ADA), 403, 'forbidden'],
    ['a draft', place('8'), 404, 'not-found'],
    ['a publication that is not there', place('7', 50), 404, 'not-found'],
    ['a post that is in another', place('11'), 422, 'in-publication'],
  ])('refuses %s', async (_, outcome, status, error) => {
    expect(await outcome).toMatchObject({ status, body: { error }, events: [] });
  });

  it('places the post, once', async () => {
    const data = { ...POST, publicationId: 5, updatedAt: NOW, changed: ['publicationId', 'updatedAt'] };
    expect(await place('7')).toMatchObject({
      status: 200,
      body: { publication: { id: 5, slug: 'figs', name: 'Figs' } },
      events: [{ type: 'PostEdited', key: 7, data }],
    });
    const again = when('PUT /posts/:id/publication', {
      params: { id: '11' },
      body: { publicationId: 6 },
      identity: ADMIN,
    });
    expect(await again).toMatchObject({ status: 200, events: [] });
  });
});

describe('DELETE /posts/:id', () => {
  it('keeps the row', async () => {
    const data = { ...POST, status: 'deleted', updatedAt: NOW };
    const outcome = await when('DELETE /posts/:id', {});
    expect(outcome).toEqual({
      status: 204,
      headers: {},
      body: undefined,
      events: [{ type: 'PostDeleted', key: 7, data }],
    });
  });
});
