import { describe, expect, it } from '@jest/globals';
import { type CommandRequest, given } from '../kit/index.ts';
import { ADA, DELETED, DRAFT, MEMBERS, POST, SUSPENDED } from '../test-members.ts';
import { claps } from './domain.ts';

const before = { memberId: 2, postId: 7, count: 40, updatedAt: '2025-02-01T08:00:00.000' };

const when = (route: string, request: Partial<CommandRequest>) =>
  given(
    claps,
    ...MEMBERS,
    ['posts', 'PostPublished', POST],
    ['posts', 'PostDrafted', DRAFT],
    ['posts', 'PostDeleted', DELETED],
    ['claps', 'PostClapped', before],
    ['claps', 'PostClapped', { ...before, memberId: 3, count: 2 }],
  ).when(route, { identity: ADA, params: { id: '7' }, now: '2026-01-01T09:10:11.120Z', ...request });

describe.each(['POST /posts/:id/claps', 'DELETE /posts/:id/claps'])('%s', (route) => {
  it.each<[string, Partial<CommandRequest>, number, string]>([
    ['a visitor', { identity: undefined }, 401, 'not-signed-in'],
    ['a suspended member', { identity: SUSPENDED }, 403, 'suspended'],
    [
      'a member who was active when the session was asked',
      { identity: { ...SUSPENDED, status: 'active' } },
      403,
      'suspended',
    ],
    ['broken text', { identity: undefined, body: { count: '\ud83c' } }, 400, 'malformed'],
    ['what is no id', { params: { id: '07' } }, 404, 'not-found'],
    ['a post that is not there', { params: { id: '70' } }, 404, 'not-found'],
    ['a draft', { params: { id: '8' } }, 404, 'not-found'],
    ['a deleted post', { params: { id: '9' } }, 404, 'not-found'],
  ])('refuses %s', async (_, request, status, error) => {
    expect(await when(route, { body: { count: 1 }, ...request })).toMatchObject({
      status,
      body: { error },
      events: [],
    });
  });
});

describe('POST /posts/:id/claps', () => {
  const clap = (count: unknown) => when('POST /posts/:id/claps', { body: { count } });

  it.each([undefined, null, 0, -1, 1.5, 51, '1'])('refuses %p claps', async (count) => {
    expect(await clap(count)).toMatchObject({ status: 400, body: { error: 'malformed' } });
  });

  it('refuses more than fifty in all', async () => {
    const body = { error: 'too-many-claps', message: 'At most 50 claps for a post.', count: 40 };
    expect(await clap(11)).toMatchObject({ status: 422, body, events: [] });
  });

  it('adds to the own claps', async () => {
    const data = { memberId: 2, postId: 7, count: 50, updatedAt: '2026-01-01T09:10:11.120' };
    expect(await clap(10)).toMatchObject({
      status: 200,
      body: { postId: 7, count: 50, total: 52 },
      events: [{ type: 'PostClapped', key: 7, data }],
    });
  });
});

describe('DELETE /posts/:id/claps', () => {
  it('takes the own claps back', async () => {
    expect(await when('DELETE /posts/:id/claps', {})).toMatchObject({
      status: 200,
      body: { postId: 7, count: 0, total: 2 },
      events: [{ type: 'ClapsTakenBack', key: 7, data: { memberId: 2, postId: 7 } }],
    });
  });

  it('finds nothing to do without any', async () => {
    const outcome = await when('DELETE /posts/:id/claps', { identity: { id: 1, username: 'admin' } });
    expect(outcome).toMatchObject({ status: 200, body: { postId: 7, count: 0, total: 42 }, events: [] });
  });
});
