import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Site, startSite } from '../test-support.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite('publications');
});
afterAll(() => site.stop());

type Member = Awaited<ReturnType<Site['join']>>;
let owner: Member;
let editor: Member;
let author: Member;
let admin: Member;
beforeAll(async () => {
  [owner, editor, author] = [await site.join('owner'), await site.join('editor'), await site.join('author')];
  admin = await site.join('admin');
});

describe('publications', () => {
  it('are founded, edited and given editors by their owner', async () => {
    const made = await owner.send('POST', '/publications', {
      slug: 'trees',
      name: 'Trees 🌳',
      settings: { b: [1], a: { d: 1, c: 2 } },
    });
    expect([made.status, made.headers.get('location')]).toEqual([201, '/publications/trees']);
    expect(made.text).toMatch(
      new RegExp(
        `^{"id":\\d+,"slug":"trees","name":"Trees 🌳","description":null,"owner":{"id":${owner.id},"username":"owner","name":"OWNER"},` +
          '"settings":{"a":{"c":2,"d":1},"b":\\[1\\]},"editors":\\[\\]}$',
      ),
    );
    const path = '/publications/trees';
    expect((await owner.send('PATCH', path, { description: 'On trees' })).json.description).toBe('On trees');
    expect((await owner.send('PUT', `${path}/editors/${author.id}`)).status).toBe(200);
    await owner.send('PUT', `${path}/editors/${editor.id}`);
    expect((await owner.send('PUT', `${path}/editors/${editor.id}`)).json.editors).toEqual([
      { id: editor.id, username: 'editor', name: 'EDITOR' },
      { id: author.id, username: 'author', name: 'AUTHOR' },
    ]);
    expect((await owner.send('DELETE', `${path}/editors/${author.id}`)).json.editors).toHaveLength(1);
    expect((await site.send('GET', path)).json).toMatchObject({ slug: 'trees', posts: [] });
    await owner.send('POST', '/publications', { slug: 'bees', name: 'Bees' });
    const list = (await site.send('GET', '/publications')).json.publications;
    expect(list.map((publication: { slug: string }) => publication.slug)).toEqual(['bees', 'trees']);
  });

  it('are closed to others', async () => {
    const input = { slug: 'trees', name: 'Again' };
    expect((await site.send('POST', '/publications', input)).status).toBe(401);
    expect((await editor.send('POST', '/publications', input)).status).toBe(409);
    expect((await editor.send('POST', '/publications', { ...input, slug: 'x', settings: [] })).status).toBe(400);
    expect((await editor.send('PATCH', '/publications/trees', { name: 'Mine' })).status).toBe(403);
    expect((await editor.send('PUT', `/publications/trees/editors/${author.id}`)).status).toBe(403);
    expect((await owner.send('PUT', '/publications/trees/editors/999999')).status).toBe(404);
    expect((await owner.send('PATCH', '/publications/none', { name: 'None' })).status).toBe(404);
  });
});

describe('submissions', () => {
  const path = '/publications/trees/submissions';

  it('are decided by an editor; an accepted post is in the publication', async () => {
    const [postId, otherId] = [await site.post(author, 'Oaks'), await site.post(author, 'Ashes')];
    const made = await author.send('POST', path, { postId });
    expect([made.status, made.json.status, made.json.decidedAt]).toEqual([201, 'pending', null]);
    expect((await author.send('POST', path, { postId })).json.error).toBe('already-submitted');
    expect((await author.send('POST', `/submissions/${made.json.id}/accept`)).status).toBe(403);
    const accepted = await editor.send('POST', `/submissions/${made.json.id}/accept`);
    expect(accepted.text).toMatch(
      new RegExp(
        `^{"id":${made.json.id},"publication":{"id":\\d+,"slug":"trees","name":"Trees 🌳"},"post":{"id":${postId},"slug":"oaks","title":"Oaks"},` +
          `"author":{"id":${author.id},"username":"author","name":"AUTHOR"},"status":"accepted","submittedAt":"[\\dT:-]{19}","decidedAt":"[\\dT:-]{19}"}$`,
      ),
    );
    expect((await editor.send('POST', `/submissions/${made.json.id}/refuse`)).json.error).toBe('already-decided');
    expect((await author.send('POST', '/publications/bees/submissions', { postId })).json.error).toBe('in-publication');
    const shown = (await site.send('GET', '/publications/trees')).json.posts;
    expect(shown).toEqual([
      {
        id: postId,
        slug: 'oaks',
        title: 'Oaks',
        author: { id: author.id, username: 'author', name: 'AUTHOR' },
        publishedAt: expect.any(String),
      },
    ]);
    expect((await site.send('GET', `/posts/${postId}`)).json.publication.slug).toBe('trees');

    const second = (await author.send('POST', path, { postId: otherId })).json.id;
    expect((await owner.send('POST', `/submissions/${second}/refuse`)).json.status).toBe('refused');
    const listed = (await owner.send('GET', path)).json.submissions;
    expect(listed.map((submission: { id: number }) => submission.id)).toEqual([second, made.json.id]);
  });

  it('are refused when the post or the asker does not fit', async () => {
    const postId = await site.post(author, 'Elms');
    const draft = (await author.send('POST', '/posts', { title: 'Draft', body: { blocks: [] } })).json.id;
    expect((await author.send('POST', path, { postId: draft })).json.error).toBe('not-published');
    expect((await editor.send('POST', path, { postId: draft })).status).toBe(404);
    expect((await editor.send('POST', path, { postId })).status).toBe(403);
    expect((await author.send('POST', path, {})).status).toBe(400);
    expect((await site.send('GET', path)).status).toBe(401);
    expect((await author.send('GET', path)).status).toBe(403);
    const { id } = (await author.send('POST', path, { postId })).json;
    await author.send('DELETE', `/posts/${postId}`);
    expect((await owner.send('POST', `/submissions/${id}/accept`)).json.error).toBe('not-published');
  });

  it('of a member are withdrawn by the administrator, those that wait and no others, as often as one likes', async () => {
    const other = await site.join('other');
    const withdraw = (as: { send: Site['send'] }, id: number | string = author.id) =>
      as.send('DELETE', `/members/${id}/submissions`);
    const [first, decided] = [await site.post(author, 'Limes'), await site.post(author, 'Yews')];
    const waiting = (await author.send('POST', path, { postId: first })).json.id;
    const refused = (await author.send('POST', path, { postId: decided })).json.id;
    await editor.send('POST', `/submissions/${refused}/refuse`);
    const others = (await other.send('POST', path, { postId: await site.post(other, 'Pines') })).json.id;
    expect([(await withdraw(site)).status, (await withdraw(author)).status]).toEqual([401, 403]);
    expect((await withdraw(admin, 'x')).status).toBe(404);
    for (const _ of [1, 2]) expect((await withdraw(admin)).status).toBe(204);
    const left: { id: number }[] = (await owner.send('GET', path)).json.submissions;
    const ids = left.map(({ id }) => id);
    expect([ids.includes(waiting), ids.includes(refused), ids.includes(others)]).toEqual([false, true, true]);
    expect((await editor.send('POST', `/submissions/${waiting}/accept`)).status).toBe(404);
    expect((await author.send('POST', path, { postId: first })).status).toBe(201);
  });

  it('accepted elsewhere are placed by the administrator, as often as one likes', async () => {
    const id = await site.post(author, 'Alders');
    const { id: publicationId } = (await author.send('GET', path.replace('/submissions', ''))).json;
    const { id: another } = (await owner.send('POST', '/publications', { slug: 'another', name: 'A' })).json;
    const place = (as: { send: Site['send'] }, to: unknown = publicationId, post: number | string = id) =>
      as.send('PUT', `/posts/${post}/publication`, { publicationId: to });
    expect([(await place(site)).status, (await place(author)).status, (await place(admin, 'x')).status]).toEqual([
      401, 403, 400,
    ]);
    expect([(await place(admin, 4_242)).status, (await place(admin, publicationId, 'x')).status]).toEqual([404, 404]);
    const placed = await place(admin);
    expect(placed.json.publication).toMatchObject({ id: publicationId });
    expect((await place(admin)).text).toBe(placed.text);
    expect((await place(admin, another)).json.error).toBe('in-publication');
    await author.send('DELETE', `/posts/${id}`);
    expect((await place(admin)).status).toBe(404);
  });

  it('withdrawn while they are decided are found no more', async () => {
    const postId = await site.post(author, 'Willows');
    const { id } = (await author.send('POST', path, { postId })).json;
    const withdrawal = await site.db.transaction();
    await withdrawal('posts').where({ id: postId }).forUpdate().first('id');
    const decided = editor.send('POST', `/submissions/${id}/accept`);
    for (let waiting = 0; waiting === 0; ) {
      // InnoDB looks anew only when nobody has asked for a tenth of a second.
      await sleep(200);
      const [[row]] = await site.db.raw(
        "SELECT COUNT(*) AS n FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'",
      );
      waiting = Number(row.n);
    }
    await withdrawal('submissions').where({ id }).delete();
    await withdrawal.commit();
    expect((await decided).status).toBe(404);
  });

  it('of one post, sent and decided at once, come out as one', async () => {
    const postId = await site.post(author, 'Firs');
    const sent = await Promise.all([1, 2, 3, 4].map(() => author.send('POST', path, { postId })));
    expect(sent.map(({ status }) => status).sort()).toEqual([201, 422, 422, 422]);
    const { id } = sent.find(({ status }) => status === 201)?.json ?? {};
    const decided = await Promise.all(
      ['accept', 'refuse', 'accept', 'refuse'].map((word) => editor.send('POST', `/submissions/${id}/${word}`)),
    );
    expect(decided.map(({ status }) => status).sort()).toEqual([200, 422, 422, 422]);
  });
});
