import { describe, expect, it } from '@jest/globals';
import { type CommandRequest, given } from '../kit/index.ts';
import { ADA, ADMIN, MEMBERS, SUSPENDED } from '../test-members.ts';
import { profiles } from './domain.ts';

const when = (route: string, request: Partial<CommandRequest>) =>
  given(profiles, ...MEMBERS).when(route, { now: '2026-01-01T09:10:11.120Z', ...request });

describe('POST /members', () => {
  const sent = { username: 'dee', name: 'Dee 🌳', email: 'dee@example.org', password: 'long enough' };
  const join = (input: object) => when('POST /members', { body: { ...sent, ...input } });

  it.each([
    { username: 'Dee' },
    { username: 'd'.repeat(41) },
    { name: '' },
    { bio: '' },
    { bio: 'b'.repeat(2001) },
    { email: 'dee' },
    { email: undefined },
    { password: 'short' },
    { name: '\ud83c' },
  ])('refuses %j', async (input) => {
    expect(await join(input)).toMatchObject({ status: 400, body: { error: 'malformed' }, events: [] });
  });

  it.each(['ada', 'me'])('refuses the username %s, which is taken', async (username) => {
    const body = { error: 'taken', message: 'This username is taken.' };
    expect(await join({ username })).toMatchObject({ status: 409, body, events: [] });
  });

  it('lets a visitor in, and keeps what signing in needs apart', async () => {
    const { username, name, email } = sent;
    const data = { id: 1001, username, name, bio: null, status: 'active', joinedAt: '2026-01-01T09:10:11' };
    const passwordHash = expect.stringMatching(/^scrypt\$1024\$[\w-]{22}\$[\w-]{43}$/);
    expect(await join({})).toEqual({
      status: 201,
      headers: { location: '/members/dee' },
      body: data,
      events: [
        { type: 'MemberJoined', key: 1001, data },
        { type: 'CredentialsSet', key: 1001, data: { id: 1001, email, passwordHash } },
      ],
    });
  });
});

describe('PATCH /members/me', () => {
  const edit = (body: unknown, identity: object | undefined = ADA) =>
    when('PATCH /members/me', { body, identity: identity && { ...identity } });

  it.each<[string, ReturnType<typeof edit>, number, string]>([
    ['a visitor', when('PATCH /members/me', { body: { name: 'A' } }), 401, 'not-signed-in'],
    ['a suspended member', edit({ name: 'A' }, SUSPENDED), 403, 'suspended'],
    ['nothing', edit({}), 400, 'malformed'],
    ['no body', edit(undefined), 400, 'malformed'],
    ['no name', edit({ name: null }), 400, 'malformed'],
    ['no address', edit({ email: 'x' }), 400, 'malformed'],
    ['who is gone', edit({ name: 'A' }, { id: 70, username: 'gone', status: 'active' }), 404, 'not-found'],
  ])('refuses %s', async (_, outcome, status, error) => {
    expect(await outcome).toMatchObject({ status, body: { error }, events: [] });
  });

  it('sets what was sent', async () => {
    const data = { ...ADA, bio: 'Hi', changed: ['bio'] };
    expect(await edit({ name: 'Ada', bio: 'Hi', email: 'a@b' })).toMatchObject({
      status: 200,
      body: { ...ADA, bio: 'Hi' },
      events: [
        { type: 'ProfileEdited', key: 2, data },
        { type: 'CredentialsSet', key: 2, data: { id: 2, email: 'a@b' } },
      ],
    });
  });

  it('says nothing when nothing has changed', async () => {
    expect(await edit({ name: 'Ada', bio: null })).toMatchObject({ status: 200, body: ADA, events: [] });
  });
});

describe.each([
  ['suspend', 'MemberSuspended', ADA, 'suspended', SUSPENDED],
  ['reinstate', 'MemberReinstated', SUSPENDED, 'active', ADA],
])('POST /members/:id/%s', (act, type, member, status, already) => {
  const set = (id: string, identity: object | undefined = ADMIN) =>
    when(`POST /members/:id/${act}`, { params: { id }, identity: identity && { ...identity } });

  it.each<[string, ReturnType<typeof set>, number, string]>([
    ['a visitor', when(`POST /members/:id/${act}`, { params: { id: '2' } }), 401, 'not-signed-in'],
    ['a suspended member', set('2', SUSPENDED), 403, 'suspended'],
    ['what is no id', set('x'), 404, 'not-found'],
    ['all but the administrator', set('2', ADA), 403, 'forbidden'],
    ['the own account', set('1'), 422, 'own-account'],
    ['who is not there', set('70'), 404, 'not-found'],
  ])('refuses %s', async (_, outcome, code, error) => {
    expect(await outcome).toMatchObject({ status: code, body: { error }, events: [] });
  });

  it('sets the status, once', async () => {
    const data = { ...member, status };
    const body = { id: member.id, status };
    expect(await set(String(member.id))).toMatchObject({ status: 200, body, events: [{ type, key: member.id, data }] });
    expect(await set(String(already.id))).toMatchObject({ status: 200, body: { id: already.id, status }, events: [] });
  });
});
