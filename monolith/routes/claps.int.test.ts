import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { transact } from '../database.ts';
import { type Site, startSite } from '../test-support.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite('claps');
});
afterAll(() => site.stop());

async function sums(postId: number) {
  const { clap_count } = await site.db('posts').where({ id: postId }).first();
  const rows: { count: number }[] = await site.db('claps').where({ post_id: postId });
  return { clap_count, counts: rows.map(({ count }) => count), sum: rows.reduce((sum, { count }) => sum + count, 0) };
}

describe('claps', () => {
  it('add up, stop at 50 and can be taken back', async () => {
    const [ada, bob] = [await site.join('ada'), await site.join('bob')];
    const id = await site.post(ada, 'Clap');
    const path = `/posts/${id}/claps`;
    expect((await bob.send('POST', path, { count: 30 })).text).toBe(`{"postId":${id},"count":30,"total":30}`);
    expect((await ada.send('POST', path, { count: 50 })).json).toEqual({ postId: id, count: 50, total: 80 });
    const refusal = await bob.send('POST', path, { count: 21 });
    expect([refusal.status, refusal.json]).toEqual([
      422,
      { error: 'too-many-claps', message: 'At most 50 claps for a post.', count: 30 },
    ]);
    expect((await site.send('GET', path)).text).toBe(
      `{"postId":${id},"total":80,"members":[{"memberId":${ada.id},"username":"ada","count":50},` +
        `{"memberId":${bob.id},"username":"bob","count":30}]}`,
    );
    expect((await site.send('GET', `/members/${bob.id}/claps`)).text).toMatch(
      new RegExp(
        `^{"memberId":${bob.id},"page":1,"posts":\\[{"postId":${id},"title":"Clap","slug":"clap","count":30,` +
          '"updatedAt":"\\d{4}-\\d\\d-\\d\\dT[\\d:]{8}\\.\\d{3}"}\\]}$',
      ),
    );
    expect((await ada.send('DELETE', path)).json).toEqual({ postId: id, count: 0, total: 30 });
    expect((await ada.send('DELETE', path)).json).toEqual({ postId: id, count: 0, total: 30 });
    expect(await sums(id)).toEqual({ clap_count: 30, counts: [30], sum: 30 });
  });

  it('are refused where there is nothing to clap for', async () => {
    const eve = await site.join('eve');
    const { id } = (await eve.send('POST', '/posts', { title: 'Draft', body: { blocks: [] } })).json;
    expect((await eve.send('POST', `/posts/${id}/claps`, { count: 1 })).status).toBe(404);
    expect((await eve.send('POST', '/posts/0/claps', { count: 1 })).status).toBe(404);
    expect((await site.send('GET', '/members/999999/claps')).status).toBe(404);
    expect((await site.send('POST', `/posts/${id}/claps`, { count: 1 })).status).toBe(401);
    for (const count of [0, 51, 1.5, '1']) {
      expect((await eve.send('POST', `/posts/${id}/claps`, { count })).status).toBe(400);
    }
  });

  it('of one member never pass 50, however many come at once', async () => {
    const fan = await site.join('fan');
    const id = await site.post(fan, 'Loved');
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => fan.send('POST', `/posts/${id}/claps`, { count: 1 })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
    expect(answers.filter(({ status }) => status === 422)).toHaveLength(50);
    expect(await sums(id)).toEqual({ clap_count: 50, counts: [50], sum: 50 });
  });

  it('of many members for a few posts keep every total the sum, without a deadlock', async () => {
    const members = await Promise.all(Array.from({ length: 10 }, (_, n) => site.join(`member-${n}`)));
    const [first] = members;
    if (first === undefined) return;
    const posts = [await site.post(first, 'A'), await site.post(first, 'B'), await site.post(first, 'C')];
    const answers = await Promise.all(
      posts.flatMap((id) =>
        members.flatMap(({ send }, n) => [
          send('POST', `/posts/${id}/claps`, { count: n + 1 }),
          ...(n % 3 === 0 ? [send('DELETE', `/posts/${id}/claps`)] : []),
          send('POST', `/posts/${id}/claps`, { count: 10 }),
        ]),
      ),
    );
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    for (const id of posts) {
      const { clap_count, sum } = await sums(id);
      expect(clap_count).toBe(sum);
    }
  });
});

describe('a transaction', () => {
  it('is run again when it was the victim of a deadlock, and given up when that goes on', async () => {
    const [a, b] = [await site.join('dead'), await site.join('lock')];
    let attempts = 0;
    const cross = (first: number, second: number) =>
      transact(site.db, async (trx) => {
        attempts++;
        await trx('members').where({ id: first }).forUpdate().select('id');
        await new Promise((resolve) => setTimeout(resolve, 50));
        await trx('members').where({ id: second }).update({ bio: 'both' });
      });
    await Promise.all([cross(a.id, b.id), cross(b.id, a.id)]);
    expect(attempts).toBeGreaterThan(2);
    const victim = Object.assign(new Error('Deadlock found'), { errno: 1213 });
    await expect(transact(site.db, () => Promise.reject(victim))).rejects.toMatchObject({ status: 503, code: 'busy' });
  });
});
