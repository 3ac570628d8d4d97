import { type Request, Router } from 'express';
import type { Knex } from 'knex';
import { transact } from '../database.ts';
import { notFound, refused } from '../errors.ts';
import { answer } from '../http.ts';
import { fields, integer, page, pathId } from '../input.ts';
import { PAGE_SIZE } from '../post-views.ts';
import { writer } from '../session.ts';
import { datetime, now } from '../values.ts';

/** Of one member for one post. */
const MOST_CLAPS = 50;

export function clapRoutes(db: Knex): Router {
  const router = Router();
  router.get('/posts/:id/claps', answer(db, clapsOfPost));
  router.get('/members/:id/claps', answer(db, clapsOfMember));
  router.post('/posts/:id/claps', answer(db, clap));
  router.delete('/posts/:id/claps', answer(db, takeBack));
  return router;
}

async function clapsOfPost(db: Knex, req: Request) {
  const postId = pathId(req);
  const post = await db('posts')
    .where({ id: postId, status: 'published' })
    .first<{ clap_count: number } | undefined>('clap_count');
  if (post === undefined) throw notFound();
  const members = await db('claps as c')
    .join('members as m', 'm.id', 'c.member_id')
    .where('c.post_id', postId)
    .orderBy([{ column: 'c.count', order: 'desc' }, { column: 'c.member_id' }])
    .limit(50)
    .select<{ memberId: number; username: string; count: number }[]>(
      'c.member_id as memberId',
      'm.username',
      'c.count',
    );
  return { postId, total: post.clap_count, members };
}

async function clapsOfMember(db: Knex, req: Request) {
  const memberId = pathId(req);
  const offset = (page(req) - 1) * PAGE_SIZE;
  const member = await db('members').where({ id: memberId }).first('id');
  if (member === undefined) throw notFound();
  const rows = await db('claps as c')
    .join('posts as p', 'p.id', 'c.post_id')
    .where({ 'c.member_id': memberId, 'p.status': 'published' })
    .orderBy([
      { column: 'c.updated_at', order: 'desc' },
      { column: 'c.post_id', order: 'desc' },
    ])
    .limit(PAGE_SIZE)
    .offset(offset)
    .select<{ postId: number; title: string; slug: string; count: number; updatedAt: string }[]>(
      'c.post_id as postId',
      'p.title',
      'p.slug',
      'c.count',
      'c.updated_at as updatedAt',
    );
  return { memberId, page: page(req), posts: rows.map((row) => ({ ...row, updatedAt: datetime(row.updatedAt) })) };
}

async function clap(db: Knex, req: Request) {
  const member = await writer(db, req);
  const postId = pathId(req);
  const count = integer(fields(req), 'count', MOST_CLAPS);
  return transact(db, async (trx) => {
    const total = await lockPublished(trx, postId);
    const key = { member_id: member.id, post_id: postId };
    const before = await ownCount(trx, key);
    const after = (before ?? 0) + count;
    if (after > MOST_CLAPS) {
      throw refused('too-many-claps', `At most ${MOST_CLAPS} claps for a post.`, { count: before ?? 0 });
    }
    const row = { count: after, updated_at: now(3) };
    if (before === undefined) await trx('claps').insert({ ...key, ...row });
    else await trx('claps').where(key).update(row);
    await trx('posts').where({ id: postId }).increment('clap_count', count);
    return { postId, count: after, total: total + count };
  });
}

async function takeBack(db: Knex, req: Request) {
  const member = await writer(db, req);
  const postId = pathId(req);
  return transact(db, async (trx) => {
    const total = await lockPublished(trx, postId);
    const key = { member_id: member.id, post_id: postId };
    const before = await ownCount(trx, key);
    if (before !== undefined) {
      await trx('claps').where(key).delete();
      await trx('posts').where({ id: postId }).decrement('clap_count', before);
    }
    return { postId, count: 0, total: total - (before ?? 0) };
  });
}

/** The lock on the post's row puts all changes of its claps in order: whoever changes claps takes it first. */
async function lockPublished(trx: Knex.Transaction, postId: number): Promise<number> {
  const post = await trx('posts')
    .where({ id: postId, status: 'published' })
    .forUpdate()
    .first<{ clap_count: number } | undefined>('clap_count');
  if (post === undefined) throw notFound();
  return post.clap_count;
}

/**
 * Read without a lock, after the post's: it sees the newest count, because a transaction's snapshot is taken at its
 * first read without a lock. FOR UPDATE would lock the gap of a missing row, and two first claps would deadlock.
 */
async function ownCount(trx: Knex.Transaction, key: object): Promise<number | undefined> {
  return (await trx('claps').where(key).first<{ count: number } | undefined>('count'))?.count;
}
