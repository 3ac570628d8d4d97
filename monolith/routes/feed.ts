import { type Request, Router } from 'express';
import type { Knex } from 'knex';
import { answer } from '../http.ts';
import { NEWEST_FIRST, PAGE_SIZE, postQuery, type SummaryRow, summary } from '../post-views.ts';
import { currentMember } from '../session.ts';
import { DAY_MS, stored } from '../values.ts';

const CANDIDATES = 100;
const RECENT_DAYS = 7;
/** What an author you clapped for is worth, in claps. */
const BOOST = 100;

export function feedRoutes(db: Knex): Router {
  const router = Router();
  router.get('/feed', answer(db, feed));
  router.get('/healthz', answer(db, health));
  return router;
}

async function health(db: Knex) {
  await db.raw('SELECT 1');
  return { ok: true };
}

/** The newest posts, most clapped in the last days first. */
async function feed(db: Knex, req: Request) {
  const member = await currentMember(db, req);
  const rows: SummaryRow[] = await postQuery(db).where('p.status', 'published').orderBy(NEWEST_FIRST).limit(CANDIDATES);
  const recent = await recentClaps(db, rows);
  const liked = member === null ? new Set<number>() : await likedAuthors(db, member.id);
  const posts = rows.map((row) => ({
    ...summary(row),
    recentClaps: recent.get(row.id) ?? 0,
    boosted: liked.has(row.author_id),
  }));
  const score = (post: (typeof posts)[number]) => post.recentClaps + (post.boosted ? BOOST : 0);
  // The sort is stable: equal scores stay newest first.
  return { posts: posts.sort((a, b) => score(b) - score(a)).slice(0, PAGE_SIZE) };
}

async function recentClaps(db: Knex, posts: { id: number }[]): Promise<Map<number, number>> {
  const ids = posts.map(({ id }) => id);
  const rows = await db('claps')
    .whereIn('post_id', ids)
    .where('updated_at', '>=', stored(new Date(Date.now() - RECENT_DAYS * DAY_MS), 3))
    .groupBy('post_id')
    .select<{ post_id: number; total: number }[]>('post_id', db.raw('CAST(SUM(count) AS UNSIGNED) AS total'));
  return new Map(rows.map(({ post_id, total }) => [post_id, total]));
}

async function likedAuthors(db: Knex, memberId: number): Promise<Set<number>> {
  const authors = await db('claps as c')
    .join('posts as p', 'p.id', 'c.post_id')
    .where('c.member_id', memberId)
    .distinct()
    .pluck<number[]>('p.author_id');
  return new Set(authors);
}
