import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fill } from './fill.ts';
import { nightly } from './nightly.ts';
import { createSchema, dropSchema } from './schema.ts';
import { PASSWORD, type Site, startSite, textBody } from './test-support.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite('nightly');
});
afterAll(() => site.stop());

const SIZES = { posts: 500, claps: 5000, seed: 7 };
const WRONG_TOTALS = `SELECT p.id FROM posts p
  WHERE p.clap_count <> (SELECT COALESCE(SUM(c.count), 0) FROM claps c WHERE c.post_id = p.id)`;

async function checksums() {
  const tables = 'members, posts, post_tags, claps, publications, submissions, sessions, reading_list_items';
  return (await site.db.raw(`CHECKSUM TABLE ${tables}`))[0];
}

describe('the fill', () => {
  it('gives the same rows for the same seed, with totals that agree', async () => {
    const counts = await fill(site.db, SIZES);
    expect(counts).toMatchObject({ members: 100, posts: 500, claps: 5000, publications: 3 });
    expect((await site.db.raw(WRONG_TOTALS))[0]).toEqual([]);
    const before = await checksums();
    await dropSchema(site.db);
    await createSchema(site.db);
    expect(await fill(site.db, SIZES)).toEqual(counts);
    expect(await checksums()).toEqual(before);
  });

  it('has an admin who can sign in', async () => {
    expect((await site.send('POST', '/login', { username: 'admin', password: PASSWORD })).status).toBe(204);
  });
});

describe('the nightly job', () => {
  it('counts words, drops tags, claps and sessions, and keeps the totals', async () => {
    const writer = await site.join('writer');
    const id = await site.post(writer, 'Long');
    await writer.send('PATCH', `/posts/${id}`, { body: textBody('word '.repeat(460)) });
    const { updated_at } = await site.db('posts').where({ id }).first();
    const gone = await site.db('claps as c').join('members as m', 'm.id', 'c.member_id').where('m.status', 'suspended');
    expect(gone.length).toBeGreaterThan(0);
    await site.db('members').where({ status: 'suspended' }).update({ last_seen_at: '2020-01-01 00:00:00' });

    const results = await nightly(site.db);
    expect(results).toEqual({
      readingMinutes: 1,
      deletedTags: expect.any(Number),
      suspendedClaps: gone.length,
      expiredSessions: expect.any(Number),
    });
    expect(await site.db('posts').where({ id }).first()).toMatchObject({ reading_minutes: '2.00', updated_at });
    expect(results.deletedTags).toBeGreaterThan(0);
    expect(results.expiredSessions).toBeGreaterThan(0);
    expect((await site.db.raw(WRONG_TOTALS))[0]).toEqual([]);
    expect(await nightly(site.db)).toEqual({
      readingMinutes: 0,
      deletedTags: 0,
      suspendedClaps: 0,
      expiredSessions: 0,
    });
  });

  it('goes on after a task that fails', async () => {
    await site.db.raw('RENAME TABLE post_tags TO elsewhere');
    expect(await nightly(site.db)).toMatchObject({ deletedTags: expect.any(Error), expiredSessions: 0 });
    await site.db.raw('RENAME TABLE elsewhere TO post_tags');
  });
});
