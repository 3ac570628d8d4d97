import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Site, startSite } from '../test-support.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite('lists');
});
afterAll(() => site.stop());

describe('reading lists', () => {
  it('keep posts in the order in which they were added, and show only what is published', async () => {
    const [ada, bob] = [await site.join('ada'), await site.join('bob')];
    const posts = [await site.post(bob, 'One'), await site.post(bob, 'Two'), await site.post(bob, 'Three')];
    const made = await ada.send('POST', '/me/lists', { name: 'Later 🌳' });
    const path = made.headers.get('location') ?? '';
    expect([made.status, made.json]).toEqual([
      201,
      { id: made.json.id, name: 'Later 🌳', memberId: ada.id, items: [] },
    ]);
    for (const id of [...posts.toReversed(), posts[0]]) await ada.send('PUT', `${path}/items/${id}`);
    const shown = async () => (await site.send('GET', path)).json.items.map((item: { title: string }) => item.title);
    expect(await shown()).toEqual(['Three', 'Two', 'One']);
    await bob.send('DELETE', `/posts/${posts[1]}`);
    expect(await shown()).toEqual(['Three', 'One']);
    await ada.send('DELETE', `${path}/items/${posts[2]}`);
    expect(await shown()).toEqual(['One']);
    expect((await ada.send('GET', '/me/lists')).json).toEqual({
      lists: [{ id: made.json.id, name: 'Later 🌳', items: 2 }],
    });
    expect((await bob.send('PUT', `${path}/items/${posts[0]}`)).status).toBe(403);
    expect((await ada.send('PUT', `${path}/items/${posts[1]}`)).status).toBe(404);
    expect((await site.send('GET', '/me/lists')).status).toBe(401);
  });
});

describe('the feed', () => {
  it('puts what was clapped lately first, and authors a member has clapped for', async () => {
    const [cleo, dan, eve] = [await site.join('cleo'), await site.join('dan'), await site.join('eve')];
    const [liked, clapped] = [await site.post(cleo, 'Liked'), await site.post(dan, 'Clapped')];
    const newest = await site.post(dan, 'Newest');
    const stale = await site.post(dan, 'Stale');
    for (const id of [clapped, stale]) await dan.send('POST', `/posts/${id}/claps`, { count: 50 });
    await site.db('claps').where({ post_id: stale }).update({ updated_at: '2020-01-01 00:00:00' });
    await eve.send('POST', `/posts/${liked}/claps`, { count: 1 });
    const ids = async ({ send }: { send: Site['send'] }) =>
      (await send('GET', '/feed')).json.posts.map((post: { id: number }) => post.id).slice(0, 4);
    expect(await ids(site)).toEqual([clapped, liked, stale, newest]);
    expect(await ids(eve)).toEqual([liked, clapped, stale, newest]);
  });
});
