import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PASSWORD, type Site, startSite } from '../test-support.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite('profiles');
});
afterAll(() => site.stop());

describe('members', () => {
  it('sign up, sign in and edit their profile', async () => {
    const input = { username: 'ada', name: 'Ada 🌱', email: 'ada@mail.example', password: PASSWORD, bio: null };
    const made = await site.send('POST', '/members', input);
    expect([made.status, made.headers.get('location')]).toEqual([201, '/members/ada']);
    expect(made.text).toMatch(
      /^{"id":\d+,"username":"ada","name":"Ada 🌱","bio":null,"status":"active","joinedAt":"[\dT:-]{19}"}$/,
    );
    expect((await site.send('POST', '/login', { username: 'ada', password: PASSWORD })).status).toBe(204);
    const bob = await site.join('bob');
    expect((await bob.send('PATCH', '/members/me', { bio: 'Écrit 👩‍👩‍👧' })).text).toBe(
      `{"id":${bob.id},"username":"bob","name":"BOB","bio":"Écrit 👩‍👩‍👧","status":"active","joinedAt":"2024-02-29T23:59:59"}`,
    );
  });

  it('are refused a name that is taken or no name', async () => {
    const input = { username: 'kim', name: 'Kim', email: 'kim@mail.example', password: PASSWORD };
    const status = async (more: Record<string, unknown>) =>
      (await site.send('POST', '/members', { ...input, ...more })).status;
    expect(await status({})).toBe(201);
    expect(await status({})).toBe(409);
    expect(await status({ username: 'me' })).toBe(409);
    for (const more of [
      { username: 'Kim' },
      { name: ' ' },
      { email: 'kim' },
      { password: 'short' },
      { bio: 'x'.repeat(2001) },
    ]) {
      expect(await status({ username: 'kim-2', ...more })).toBe(400);
    }
    expect((await site.send('PATCH', '/members/me', { name: 'X' })).status).toBe(401);
    expect((await site.send('GET', '/members/KIM')).status).toBe(404);
  });

  it('are shown with their posts, their claps and publications', async () => {
    const max = await site.join('max');
    const [id, other] = [await site.post(max, 'First'), await site.post(max, 'Second')];
    await site.db('posts').update({ published_at: '2024-01-01 12:00:00' }).whereIn('id', [id, other]);
    await max.send('POST', `/posts/${id}/claps`, { count: 3 });
    const [publication] = await site
      .db('publications')
      .insert({ slug: 'p', name: 'P', owner_id: max.id, settings: '{}' });
    await site
      .db('posts')
      .update({ publication_id: publication ?? 0 })
      .where({ id });
    expect((await site.send('GET', '/members/max')).text).toBe(
      `{"id":${max.id},"username":"max","name":"MAX","bio":null,"status":"active","joinedAt":"2024-02-29T23:59:59","posts":[` +
        `{"id":${other},"slug":"second","title":"Second","publishedAt":"2024-01-01T12:00:00","claps":0,"publication":null},` +
        `{"id":${id},"slug":"first","title":"First","publishedAt":"2024-01-01T12:00:00","claps":3,` +
        `"publication":{"id":${publication},"slug":"p","name":"P"}}]}`,
    );
  });

  it('are listed by username', async () => {
    await site.join('max-2');
    await site.join('max2');
    const { json } = await site.send('GET', '/members');
    const names = json.members.map((member: { username: string }) => member.username);
    expect(names.filter((name: string) => name.startsWith('max'))).toEqual(['max', 'max-2', 'max2']);
    expect((await site.send('GET', '/members?page=2')).json).toEqual({ page: 2, members: [] });
  });

  it('read on when suspended, but write nothing and show no bio', async () => {
    const [admin, eve] = [await site.join('admin'), await site.join('eve', { bio: 'I am Eve' })];
    const path = `/members/${eve.id}`;
    expect((await eve.send('POST', `/members/${admin.id}/suspend`)).json.error).toBe('forbidden');
    expect((await admin.send('POST', `/members/${admin.id}/suspend`)).status).toBe(422);
    expect((await admin.send('POST', '/members/999999/suspend')).status).toBe(404);
    expect((await admin.send('POST', `${path}/suspend`)).json).toMatchObject({ status: 'suspended', bio: null });
    expect((await site.send('GET', '/members/eve')).json).toMatchObject({ status: 'suspended', bio: null, posts: [] });
    expect((await eve.send('GET', '/me/drafts')).status).toBe(200);
    expect((await eve.send('POST', '/posts', { title: 'x' })).json.error).toBe('suspended');
    expect((await admin.send('POST', `${path}/reinstate`)).json).toMatchObject({ status: 'active', bio: 'I am Eve' });
    expect((await eve.send('PATCH', '/members/me', { bio: null })).status).toBe(200);
  });
});
