import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PASSWORD, type Site, startSite } from '../test-support.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite('sessions');
});
afterAll(() => site.stop());

describe('sessions', () => {
  it('tells who asks', async () => {
    const ada = await site.join('ada');
    expect((await ada.send('GET', '/session')).text).toBe(
      `{"member":{"id":${ada.id},"username":"ada","status":"active"}}`,
    );
    expect((await site.send('GET', '/session')).text).toBe('{"member":null}');
  });

  it('sets an HttpOnly cookie and notes when a member was seen', async () => {
    const { id } = await site.join('bob');
    const login = await site.send('POST', '/login', { username: 'bob', password: PASSWORD });
    expect(login.status).toBe(204);
    expect(login.headers.get('set-cookie')).toMatch(/^sid=[\w-]{43}; HttpOnly;/);
    expect((await site.db('members').where({ id }).first()).last_seen_at).toMatch(/^\d{4}-.*\.\d{3}000$/);
  });

  it('refuses a wrong password, an unknown member and one without a password alike', async () => {
    await site.db('members').insert({ username: 'old-blogger', name: 'Old', joined_at: '2010-01-01 00:00:00' });
    for (const [username, password] of [
      ['ada', 'wrong horse'],
      ['nobody', PASSWORD],
      ['old-blogger', PASSWORD],
    ]) {
      const { status, json } = await site.send('POST', '/login', { username, password });
      expect([status, json.error]).toEqual([401, 'wrong-credentials']);
    }
    expect((await site.send('POST', '/login', { username: 'ada' })).status).toBe(400);
  });

  it('forgets a session on logout and after its time', async () => {
    const cleo = await site.join('cleo');
    expect((await cleo.send('POST', '/logout')).status).toBe(204);
    expect((await cleo.send('GET', '/session')).json).toEqual({ member: null });
    const dan = await site.join('dan');
    await site.db('sessions').where({ member_id: dan.id }).update({ expires_at: '2020-01-01 00:00:00' });
    expect((await dan.send('GET', '/me/drafts')).status).toBe(401);
  });

  it('answers what it does not know or cannot read', async () => {
    const { send } = await site.join('eve');
    expect((await send('GET', '/nothing')).json).toEqual({ error: 'not-found', message: 'There is nothing here.' });
    expect((await send('GET', '/posts/%ff')).status).toBe(400);
    expect((await send('POST', '/posts', '{"title":')).json.error).toBe('malformed');
    expect((await send('POST', '/posts', '"text"')).status).toBe(400);
    expect((await send('POST', '/me/lists', '{"name":"\\ud83c"}')).status).toBe(400);
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect((await send('POST', '/posts', `{"title":"t","body":${deep}}`)).status).toBe(400);
    expect((await send('POST', '/posts', { title: 'x'.repeat(300_000) })).status).toBe(413);
    expect((await send('GET', '/healthz')).json).toEqual({ ok: true });
  });
});
