import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Site, startSite, textBody } from '../test-support.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite('posts');
});
afterAll(() => site.stop());

describe('a post', () => {
  it('is written as a draft, published, edited and deleted', async () => {
    const ada = await site.join('ada');
    const body = { blocks: [{ type: 'p', text: 'one two 🌳', a: { z: 1, b: [{ y: 1, x: 2 }] } }], A: 1 };
    const made = await ada.send('POST', '/posts', { title: ' Größe 🌳 & Ruhe ', body, tags: ['rust', 'go', 'go'] });
    const { id } = made.json;
    expect([made.status, made.headers.get('location')]).toEqual([201, `/posts/${id}`]);
    expect(made.text).toMatch(
      new RegExp(
        `^{"id":${id},"slug":"gro-e-ruhe","title":" Größe 🌳 & Ruhe ","author":{"id":${ada.id},"username":"ada","name":"ADA"},` +
          '"publication":null,"tags":\\["go","rust"\\],"readingMinutes":"0.01","claps":0,"publishedAt":null,"status":"draft",' +
          '"body":{"A":1,"blocks":\\[{"a":{"b":\\[{"x":2,"y":1}\\],"z":1},"text":"one two 🌳","type":"p"}\\]},' +
          '"createdAt":"\\d{4}-\\d\\d-\\d\\dT[\\d:]{8}","updatedAt":"\\d{4}-\\d\\d-\\d\\dT[\\d:]{8}\\.\\d{3}Z"}$',
      ),
    );

    const published = await ada.send('POST', `/posts/${id}/publish`);
    expect(published.json).toMatchObject({ status: 'published', publishedAt: expect.stringMatching(/^[\dT:-]{19}$/) });
    expect((await ada.send('POST', `/posts/${id}/publish`)).text).toBe(published.text);

    const edited = await ada.send('PATCH', `/posts/${id}`, {
      title: 'Calm',
      tags: ['go', 'c'],
      body: textBody('a '.repeat(460)),
    });
    expect(edited.json).toMatchObject({ title: 'Calm', slug: 'gro-e-ruhe', tags: ['c', 'go'], readingMinutes: '0.01' });
    expect((await site.send('GET', '/posts/by-slug/gro-e-ruhe')).text).toBe(edited.text);
    expect((await site.send('GET', `/posts/${id}`)).text).toBe(edited.text);

    expect((await ada.send('DELETE', `/posts/${id}`)).status).toBe(204);
    expect((await ada.send('GET', `/posts/${id}`)).status).toBe(404);
    expect((await ada.send('DELETE', `/posts/${id}`)).status).toBe(404);
    expect(await site.db('post_tags').where({ post_id: id })).toHaveLength(2);
  });

  it('is private as a draft', async () => {
    const [bob, eve] = [await site.join('bob'), await site.join('eve')];
    const { id } = (await bob.send('POST', '/posts', { title: 'Secret', body: textBody('x') })).json;
    expect((await bob.send('GET', `/posts/${id}`)).json.status).toBe('draft');
    for (const other of [eve.send, site.send]) {
      expect((await other('GET', `/posts/${id}`)).status).toBe(404);
      expect((await other('GET', '/posts/by-slug/secret')).status).toBe(404);
      expect((await other('GET', `/posts/${id}/claps`)).status).toBe(404);
    }
    expect((await eve.send('PATCH', `/posts/${id}`, { title: 'Mine' })).status).toBe(404);
    expect((await bob.send('GET', '/me/drafts')).json.posts.map((post: { id: number }) => post.id)).toEqual([id]);
    expect((await eve.send('GET', '/me/drafts')).json).toEqual({ posts: [] });
    expect((await site.send('GET', '/me/drafts')).status).toBe(401);
  });

  it('is refused for what is wrong with it', async () => {
    const [kim, lea] = [await site.join('kim'), await site.join('lea')];
    const id = await site.post(kim, 'Taken');
    const body = textBody('words');
    const status = async (input: unknown) => (await kim.send('POST', '/posts', input)).status;
    expect((await site.send('POST', '/posts', {})).status).toBe(401);
    expect(await status({ title: 'Other', slug: 'taken', body })).toBe(409);
    expect(await status({ title: '木', body })).toBe(400);
    expect(await status({ title: '木'.repeat(201), slug: 'tree', body })).toBe(400);
    expect(await status({ title: 'Tags', tags: ['Not', 'small'], body })).toBe(400);
    expect(await status({ title: 'Body', body: { blocks: [{ text: 1 }] } })).toBe(400);
    expect((await kim.send('PATCH', `/posts/${id}`, {})).status).toBe(400);
    expect((await lea.send('PATCH', `/posts/${id}`, { title: 'Mine' })).json.error).toBe('forbidden');
    expect((await lea.send('DELETE', `/posts/${id}`)).status).toBe(403);
    const empty = (await kim.send('POST', '/posts', { title: 'Empty', body: textBody(' ') })).json.id;
    expect((await kim.send('POST', `/posts/${empty}/publish`)).json.error).toBe('empty-post');
  });
});

describe('lists of posts', () => {
  it('are newest first, the younger id first among equals, 20 a page, the same bytes each time', async () => {
    const max = await site.join('max');
    const ids: number[] = [];
    for (let n = 1; n <= 25; n++)
      ids.push(await site.post(max, `Page ${n}`, { tags: n % 5 === 0 ? ['five', 'a-b'] : ['a'] }));
    await site.db('posts').whereIn('id', ids).update({ published_at: '2999-01-01 00:00:00' });
    const listed = async (path: string) =>
      (await site.send('GET', path)).json.posts.map((post: { id: number }) => post.id);
    expect(await listed('/posts')).toEqual(ids.toReversed().slice(0, 20));
    expect((await listed('/posts?page=2')).slice(0, 5)).toEqual(ids.toReversed().slice(20));
    expect(await listed('/tags/five')).toEqual(ids.filter((_, index) => index % 5 === 4).toReversed());
    expect((await site.send('GET', '/tags')).json.tags.slice(0, 3)).toEqual([
      { tag: 'a', posts: 20 },
      { tag: 'a-b', posts: 5 },
      { tag: 'five', posts: 5 },
    ]);
    for (const path of ['/posts', '/tags', '/tags/five?page=2', `/posts/${ids[0]}`, '/members/max', '/members']) {
      expect((await site.send('GET', path)).text).toBe((await site.send('GET', path)).text);
    }
    expect((await site.send('GET', '/posts?page=0')).status).toBe(400);
    expect((await site.send('GET', '/posts?page=1&page=2')).status).toBe(400);
    expect((await site.send('GET', '/tags/FIVE')).status).toBe(404);
  });
});
