import { type Request, Router } from 'express';
import type { Knex } from 'knex';
import { orTaken, transact } from '../database.ts';
import { forbidden, malformed, notFound, refused } from '../errors.ts';
import { answer, created, done } from '../http.ts';
import { changes, fields, handle, integer, page, pathHandle, pathId, postBody, slugify, tags, text } from '../input.ts';
import { findPost, fullPost, newestPosts, type PostRow, postQuery, type SummaryRow, summary } from '../post-views.ts';
import { currentMember, signedIn, writer } from '../session.ts';
import { now, type PostBody, readingMinutes, timestamp, wordsOf } from '../values.ts';

export function postRoutes(db: Knex): Router {
  const router = Router();
  router.get('/posts', answer(db, list));
  router.get('/posts/by-slug/:slug', answer(db, showBySlug));
  router.get('/posts/:id', answer(db, show));
  router.get('/me/drafts', answer(db, listDrafts));
  router.get('/tags', answer(db, countTags));
  router.get('/tags/:tag', answer(db, listTagged));
  router.post('/posts', created(db, create));
  router.patch('/posts/:id', answer(db, edit));
  router.post('/posts/:id/publish', answer(db, publish));
  router.put('/posts/:id/publication', answer(db, place));
  router.delete('/posts/:id', done(db, remove));
  return router;
}

async function list(db: Knex, req: Request) {
  return { page: page(req), posts: await newestPosts(db, page(req)) };
}

async function listTagged(db: Knex, req: Request) {
  const tag = pathHandle(req, 'tag', 40);
  return { tag, page: page(req), posts: await newestPosts(db, page(req), tag) };
}

async function show(db: Knex, req: Request) {
  return visible(db, req, await findPost(db, { 'p.id': pathId(req) }));
}

async function showBySlug(db: Knex, req: Request) {
  return visible(db, req, await findPost(db, { 'p.slug': pathHandle(req, 'slug', 120) }));
}

/** Only its author sees a draft, and nobody a deleted post. */
async function visible(db: Knex, req: Request, post: PostRow | undefined) {
  if (post === undefined || post.status === 'deleted') throw notFound();
  if (post.status === 'draft' && (await currentMember(db, req))?.id !== post.author_id) throw notFound();
  return fullPost(post);
}

async function listDrafts(db: Knex, req: Request) {
  const member = await signedIn(db, req);
  const rows: (SummaryRow & { updated_at: string })[] = await postQuery(db)
    .select('p.updated_at')
    .where({ 'p.author_id': member.id, 'p.status': 'draft' })
    .orderBy([
      { column: 'p.updated_at', order: 'desc' },
      { column: 'p.id', order: 'desc' },
    ])
    .limit(100);
  return { posts: rows.map((row) => ({ ...summary(row), updatedAt: timestamp(row.updated_at) })) };
}

async function countTags(db: Knex) {
  const tags = await db('post_tags as t')
    .join('posts as p', 'p.id', 't.post_id')
    .where('p.status', 'published')
    .groupBy('t.tag')
    .orderBy([{ column: 'posts', order: 'desc' }, { column: 't.tag' }])
    .limit(50)
    .select<{ tag: string; posts: number }[]>('t.tag', db.raw('COUNT(*) AS posts'));
  return { tags };
}

async function create(db: Knex, req: Request) {
  const member = await writer(db, req);
  const input = fields(req);
  const title = text(200)(input, 'title');
  const body = postBody(input, 'body');
  const tagList = tags(input, 'tags');
  const slug = input['slug'] === undefined ? slugify(title) : handle(120)(input, 'slug');
  if (slug === '') throw malformed('slug must be given when the title has no Latin letter or digit.');
  return transact(db, async (trx) => {
    const [id = 0] = await trx('posts')
      .insert({
        author_id: member.id,
        slug,
        title,
        body: JSON.stringify(body),
        reading_minutes: readingMinutes(body),
        status: 'draft',
        created_at: now(),
        updated_at: now(3),
      })
      .catch(orTaken('slug'));
    await setTags(trx, id, tagList);
    return { location: `/posts/${id}`, resource: await reread(trx, id) };
  });
}

/** reading_minutes stays as it was: the nightly job counts the words of what was edited. */
async function edit(db: Knex, req: Request) {
  const member = await writer(db, req);
  const id = pathId(req);
  const { tags: newTags, body, ...rest } = changes(fields(req), { title: text(200), body: postBody, tags });
  return transact(db, async (trx) => {
    await ownPost(trx, id, member.id);
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    await update(trx, id, { ...rest, ...json });
    if (newTags !== undefined) await setTags(trx, id, newTags);
    return reread(trx, id);
  });
}

async function setTags(trx: Knex.Transaction, id: number, tags: string[]): Promise<void> {
  const had = await trx('post_tags').where({ post_id: id }).pluck<string[]>('tag');
  const gone = had.filter((tag) => !tags.includes(tag));
  const added = tags.filter((tag) => !had.includes(tag));
  if (gone.length > 0) await trx('post_tags').where({ post_id: id }).whereIn('tag', gone).delete();
  if (added.length > 0) await trx('post_tags').insert(added.map((tag) => ({ post_id: id, tag })));
}

/** Publishing what is published changes nothing. */
async function publish(db: Knex, req: Request) {
  const member = await writer(db, req);
  const id = pathId(req);
  return transact(db, async (trx) => {
    const post = await ownPost(trx, id, member.id);
    if (post.status === 'draft') {
      const words = wordsOf(JSON.parse(post.body) as PostBody);
      if (words === 0) throw refused('empty-post', 'A post without words cannot be published.');
      await update(trx, id, { status: 'published', published_at: now() });
    }
    return reread(trx, id);
  });
}

/** For what decides on submissions elsewhere; asked for twice, it changes nothing the second time. */
async function place(db: Knex, req: Request) {
  const member = await writer(db, req);
  const id = pathId(req);
  const publication_id = integer(fields(req), 'publicationId', 2 ** 32 - 1);
  if (member.username !== 'admin') throw forbidden('Only the administrator may do this.');
  return transact(db, async (trx) => {
    const post = await trx('posts')
      .where({ id, status: 'published' })
      .forUpdate()
      .first<{ publication_id: number | null } | undefined>('publication_id');
    const publication = await trx('publications').where({ id: publication_id }).first('id');
    if (post === undefined || publication === undefined) throw notFound();
    if (post.publication_id === publication_id) return reread(trx, id);
    if (post.publication_id !== null) throw refused('in-publication', 'The post already is in a publication.');
    await update(trx, id, { publication_id });
    return reread(trx, id);
  });
}

/** Soft: the row, its tags and claps stay. */
async function remove(db: Knex, req: Request): Promise<void> {
  const member = await writer(db, req);
  const id = pathId(req);
  await transact(db, async (trx) => {
    await ownPost(trx, id, member.id);
    await update(trx, id, { status: 'deleted' });
  });
}

/** Locks the post. Another's draft is not even there. */
async function ownPost(trx: Knex.Transaction, id: number, memberId: number) {
  const post = await trx('posts')
    .where({ id })
    .whereNot({ status: 'deleted' })
    .forUpdate()
    .first<{ author_id: number; status: 'draft' | 'published'; body: string } | undefined>(
      'author_id',
      'status',
      'body',
    );
  if (post === undefined) throw notFound();
  if (post.author_id !== memberId) throw post.status === 'draft' ? notFound() : forbidden('This post is not yours.');
  return post;
}

async function update(trx: Knex.Transaction, id: number, change: object): Promise<void> {
  const row = { ...change, updated_at: now(3) };
  await trx('posts').where({ id }).update(row);
}

async function reread(trx: Knex.Transaction, id: number) {
  const post = await findPost(trx, { 'p.id': id });
  if (post === undefined) throw notFound();
  return fullPost(post);
}
