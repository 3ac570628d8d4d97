import { describe, expect, it } from '@jest/globals';
import { type CommandRequest, given } from '../kit/index.ts';
import { ADA, ADMIN, BO, DELETED, DRAFT, FIGS, MEMBERS, POST, SUSPENDED } from '../test-members.ts';
import { publications } from './domain.ts';

const NOW = '2026-01-01T09:10:11.120Z';
const pending = {
  id: 20,
  publicationId: 5,
  postId: 7,
  authorId: 2,
  status: 'pending',
  submittedAt: '2025-03-01T08:00:00',
  decidedAt: null,
} as const;
const FRESH = { ...POST, id: 10, slug: 'fresh' };
const PLACED = { ...POST, id: 11, slug: 'placed', publicationId: 5 };
const ACCEPTED = { ...POST, id: 12, slug: 'accepted' };
const decided = { decidedAt: '2025-03-02T08:00:00' };

const when = (route: string, request: Partial<CommandRequest>) =>
  given(
    publications,
    ...MEMBERS,
    ['publications', 'PublicationFounded', FIGS],
    ['publications', 'EditorAdded', { publicationId: 5, memberId: 1 }],
    ...[POST, FRESH, PLACED, ACCEPTED].map((post) => ['posts', 'PostPublished', post] as const),
    ['posts', 'PostDrafted', DRAFT],
    ['posts', 'PostDeleted', DELETED],
    ['publications', 'SubmissionReceived', pending],
    ['publications', 'SubmissionReceived', { ...pending, id: 21, postId: 8 }],
    ['publications', 'SubmissionReceived', { ...pending, id: 22, postId: 11 }],
    ['publications', 'SubmissionAccepted', { ...pending, id: 23, postId: 12, status: 'accepted', ...decided }],
    ['publications', 'SubmissionReceived', { ...pending, id: 24, postId: 12 }],
    ['publications', 'SubmissionRefused', { ...pending, id: 25, postId: 10, status: 'refused', ...decided }],
    ['publications', 'SubmissionReceived', { ...pending, id: 26, postId: 70 }],
  ).when(route, { identity: BO, params: { slug: 'figs', memberId: '2' }, now: NOW, ...request });

const bo = { id: 3, username: 'bo', name: 'Bo' };
const admin = { id: 1, username: 'admin', name: 'Admin' };
const figs = { id: 5, slug: 'figs', name: 'Figs', description: null, owner: bo, settings: {}, editors: [admin] };

type Refusal = [string, Partial<CommandRequest>, number, string];

describe.each(publications.routes.writes.map(({ method, path }) => `${method} ${path}`))('%s', (route) => {
  it.each<Refusal>([
    ['a visitor', { identity: undefined }, 401, 'not-signed-in'],
    ['a suspended member', { identity: SUSPENDED }, 403, 'suspended'],
    ['broken text', { body: ['\ud83c'] }, 400, 'malformed'],
  ])('refuses %s', async (_, request, status, error) => {
    expect(await when(route, request)).toMatchObject({ status, body: { error }, events: [] });
  });
});

describe('POST /publications', () => {
  const found = (input: object) => when('POST /publications', { body: { slug: 'oaks', name: 'Oaks', ...input } });

  it.each([{ slug: 'Oaks' }, { slug: undefined }, { name: 1 }, { description: '' }, { settings: [] }])(
    'refuses %j',
    async (input) => {
      expect(await found(input)).toMatchObject({ status: 400, body: { error: 'malformed' }, events: [] });
    },
  );

  it('refuses a slug that is taken', async () => {
    const body = { error: 'taken', message: 'This slug is taken.' };
    expect(await found({ slug: 'figs' })).toMatchObject({ status: 409, body, events: [] });
  });

  it('founds a publication', async () => {
    const { status, headers, body, events } = await found({ settings: { b: 1, a: { d: 1, c: 2 } } });
    const settings = { a: { c: 2, d: 1 }, b: 1 };
    const data = { id: 1001, slug: 'oaks', name: 'Oaks', description: null, ownerId: 3, settings };
    expect([status, headers]).toEqual([201, { location: '/publications/oaks' }]);
    expect(events).toEqual([{ type: 'PublicationFounded', key: 1001, data }]);
    expect(body).toEqual({ ...figs, id: 1001, slug: 'oaks', name: 'Oaks', settings, editors: [] });
  });
});

describe.each([
  ['PATCH /publications/:slug', { name: 'A' }],
  ['PUT /publications/:slug/editors/:memberId', undefined],
  ['DELETE /publications/:slug/editors/:memberId', undefined],
])('%s', (route, body) => {
  it.each<Refusal>([
    ['what is no slug', { params: { slug: 'Figs', memberId: '2' } }, 404, 'not-found'],
    ['a publication that is not there', { params: { slug: 'oaks', memberId: '2' } }, 404, 'not-found'],
    ['all but the owner', { identity: ADMIN }, 403, 'forbidden'],
  ])('refuses %s', async (_, request, status, error) => {
    expect(await when(route, { body, ...request })).toMatchObject({ status, body: { error }, events: [] });
  });
});

describe('PATCH /publications/:slug', () => {
  const edit = (body: unknown) => when('PATCH /publications/:slug', { body });

  it.each([{}, undefined, { slug: 'new' }, { name: null }, { settings: 1 }])('refuses %j', async (body) => {
    expect(await edit(body)).toMatchObject({ status: 400, body: { error: 'malformed' }, events: [] });
  });

  it('sets what was sent', async () => {
    const data = { ...FIGS, description: 'd', settings: { a: 1 }, changed: ['description', 'settings'] };
    expect(await edit({ name: 'Figs', description: 'd', settings: { a: 1 } })).toMatchObject({
      status: 200,
      body: { ...figs, description: 'd', settings: { a: 1 } },
      events: [{ type: 'PublicationEdited', key: 5, data }],
    });
  });

  it('says nothing when nothing has changed', async () => {
    expect(await edit({ settings: null })).toMatchObject({ status: 200, body: figs, events: [] });
  });
});

describe('the editors', () => {
  const set = (method: string, memberId: string) =>
    when(`${method} /publications/:slug/editors/:memberId`, { params: { slug: 'figs', memberId } });

  it.each([['PUT'], ['DELETE']])('%s refuses what is no id', async (method) => {
    expect(await set(method, 'x')).toMatchObject({ status: 404, events: [] });
  });

  it('take a member in, once', async () => {
    expect(await set('PUT', '70')).toMatchObject({ status: 404, events: [] });
    expect(await set('PUT', '2')).toMatchObject({
      status: 200,
      body: { editors: [admin, { id: 2, username: 'ada', name: 'Ada' }] },
      events: [{ type: 'EditorAdded', key: 5, data: { publicationId: 5, memberId: 2 } }],
    });
    expect(await set('PUT', '1')).toMatchObject({ status: 200, body: figs, events: [] });
  });

  it('let one go, once', async () => {
    expect(await set('DELETE', '1')).toMatchObject({
      status: 200,
      body: { editors: [] },
      events: [{ type: 'EditorRemoved', key: 5, data: { publicationId: 5, memberId: 1 } }],
    });
    expect(await set('DELETE', '2')).toMatchObject({ status: 200, body: figs, events: [] });
  });
});

const view = {
  id: 20,
  publication: { id: 5, slug: 'figs', name: 'Figs' },
  post: { id: 7, slug: 'trees', title: 'Trees 🌳' },
  author: { id: 2, username: 'ada', name: 'Ada' },
  status: 'pending',
  submittedAt: '2025-03-01T08:00:00',
  decidedAt: null,
};

describe('POST /publications/:slug/submissions', () => {
  const submit = (postId: unknown, request: Partial<CommandRequest> = {}) =>
    when('POST /publications/:slug/submissions', { identity: ADA, body: { postId }, ...request });

  it.each<[string, ReturnType<typeof submit>, number, string]>([
    ['what is no post', submit('7'), 400, 'malformed'],
    ['what is no slug', submit(10, { params: { slug: 'F' } }), 404, 'not-found'],
    ['a publication that is not there', submit(10, { params: { slug: 'oaks' } }), 404, 'not-found'],
    ['a post that is not there', submit(70), 404, 'not-found'],
    ['a deleted post', submit(9), 404, 'not-found'],
    ["another's draft", submit(8, { identity: BO }), 404, 'not-found'],
    ["another's post", submit(10, { identity: BO }), 403, 'forbidden'],
    ['a draft', submit(8), 422, 'not-published'],
    ['a post in a publication', submit(11), 422, 'in-publication'],
    ['a post accepted but not yet placed', submit(12), 422, 'in-publication'],
    ['a post that is waiting', submit(7), 422, 'already-submitted'],
  ])('refuses %s', async (_, outcome, status, error) => {
    expect(await outcome).toMatchObject({ status, body: { error }, events: [] });
  });

  it('takes a post, also one that was refused before', async () => {
    const data = { ...pending, id: 1001, postId: 10, submittedAt: '2026-01-01T09:10:11' };
    expect(await submit(10)).toEqual({
      status: 201,
      headers: { location: '/publications/figs/submissions' },
      body: { ...view, id: 1001, post: { id: 10, slug: 'fresh', title: 'Trees 🌳' }, submittedAt: data.submittedAt },
      events: [{ type: 'SubmissionReceived', key: 1001, data }],
    });
  });
});

describe.each([
  ['accept', 'accepted', 'SubmissionAccepted'],
  ['refuse', 'refused', 'SubmissionRefused'],
])('POST /submissions/:id/%s', (act, status, type) => {
  const decide = (id: string, identity: object = BO) =>
    when(`POST /submissions/:id/${act}`, { params: { id }, identity: { ...identity } });

  it.each<[string, ReturnType<typeof decide>, number, string]>([
    ['what is no id', decide('x'), 404, 'not-found'],
    ['a submission that is not there', decide('70'), 404, 'not-found'],
    ['one of a post that is not there', decide('26'), 404, 'not-found'],
    ['all but owner and editors', decide('20', ADA), 403, 'forbidden'],
    ['what is decided', decide('23'), 422, 'already-decided'],
  ])('refuses %s', async (_, outcome, code, error) => {
    expect(await outcome).toMatchObject({ status: code, body: { error }, events: [] });
  });

  it.each([BO, ADMIN])('lets $username decide', async (identity) => {
    const decidedAt = '2026-01-01T09:10:11';
    expect(await decide('20', identity)).toMatchObject({
      status: 200,
      body: { ...view, status, decidedAt },
      events: [{ type, key: 20, data: { ...pending, status, decidedAt } }],
    });
  });

  it.each([
    ['a draft', '21', 'not-published'],
    ['a post in a publication', '22', 'in-publication'],
    ['a post accepted but not yet placed', '24', 'in-publication'],
  ])('is refused of %s only when it is to be accepted', async (_, id, error) => {
    const expected =
      act === 'accept' ? { status: 422, body: { error }, events: [] } : { status: 200, events: [{ type }] };
    expect(await decide(id)).toMatchObject(expected);
  });
});

describe('DELETE /members/:id/submissions', () => {
  const withdraw = (id: string, identity: object = ADMIN) =>
    when('DELETE /members/:id/submissions', { params: { id }, identity: { ...identity } });

  it('is for the administrator alone', async () => {
    expect(await withdraw('2', BO)).toMatchObject({ status: 403, body: { error: 'forbidden' }, events: [] });
    expect(await withdraw('x', BO)).toMatchObject({ status: 404, events: [] });
  });

  it('erases what waits, and finds nothing to do without any', async () => {
    const erased = [20, 21, 22, 24, 26].map((id) => ({ type: 'SubmissionErased', key: id, data: { id } }));
    expect(await withdraw('2')).toEqual({ status: 204, headers: {}, body: undefined, events: erased });
    expect(await withdraw('3')).toMatchObject({ status: 204, events: [] });
  });
});
