import type { Knex } from 'knex';
import type { Queries, QueryRequest } from '../kit/index.ts';
import { notFound, notSignedIn } from '../refusals.ts';
import { handleOf, idOf, pageOf } from '../request.ts';
import type { Post } from './events.ts';

const PAGE_SIZE = 20;

export const queries: Queries = {
  async 'GET /posts'(request) {
    const page = pageOf(request);
    return { page, posts: await newestPosts(request.db, page) };
  },

  async 'GET /posts/:id'(request) {
    return visible(request, { 'p.id': idOf(request) });
  },

  async 'GET /posts/by-slug/:slug'(request) {
    return visible(request, { 'p.slug': handleOf(request, 'slug', 120) });
  },

  async 'GET /me/drafts'({ db, identity }) {
    if (!identity) throw notSignedIn();
    const rows = await postQuery(db)
      .select('p.updatedAt')
      .where({ 'p.authorId': identity['id'], 'p.status': 'draft' })
      .orderBy([
        { column: 'p.updatedAt', order: 'desc' },
        { column: 'p.id', order: 'desc' },
      ])
      .limit(100);
    return { posts: rows.map((row) => ({ ...summary(row), updatedAt: row.updatedAt })) };
  },

  async 'GET /tags'({ db }) {
    const tags = await db('tags as t')
      .join('posts as p', 'p.id', 't.postId')
      .where('p.status', 'published')
      .groupBy('t.tag')
      .orderBy([{ column: 'posts', order: 'desc' }, { column: 't.tag' }])
      .limit(50)
      .select('t.tag')
      .count('* as posts');
    return { tags };
  },

  async 'GET /tags/:tag'(request) {
    const tag = handleOf(request, 'tag', 40);
    const page = pageOf(request);
    return { tag, page, posts: await newestPosts(request.db, page, tag) };
  },
};

interface SummaryRow extends Pick<Post, 'id' | 'slug' | 'title' | 'readingMinutes' | 'publishedAt'> {
  authorId: number;
  username: string | null;
  name: string | null;
  publicationId: number | null;
  publicationSlug: string | null;
  publicationName: string | null;
  /** Joined by commas, in order. */
  tags: string | null;
  claps: number | string | null;
}

/** Posts as `p` with all that a summary shows, in one query. */
function postQuery(db: Knex) {
  return db('posts as p')
    .leftJoin('members as a', 'a.id', 'p.authorId')
    .leftJoin('publications as b', 'b.id', 'p.publicationId')
    .select<SummaryRow[]>('p.id', 'p.slug', 'p.title', 'p.authorId', 'a.username', 'a.name')
    .select('p.publicationId', 'b.slug as publicationSlug', 'b.name as publicationName')
    .select('p.readingMinutes', 'p.publishedAt')
    .select(db.raw('(SELECT GROUP_CONCAT(t.tag ORDER BY t.tag) FROM tags t WHERE t.postId = p.id) AS tags'))
    .select(db.raw('(SELECT SUM(c.count) FROM claps c WHERE c.postId = p.id) AS claps'));
}

/** Published posts, newest first. */
async function newestPosts(db: Knex, page: number, tag?: string) {
  const query = postQuery(db).where('p.status', 'published');
  if (tag !== undefined) query.whereIn('p.id', db('tags').select('postId').where({ tag }));
  const rows = await query
    .orderBy([
      { column: 'p.publishedAt', order: 'desc' },
      { column: 'p.id', order: 'desc' },
    ])
    .limit(PAGE_SIZE)
    .offset((page - 1) * PAGE_SIZE);
  return rows.map(summary);
}

function summary(row: SummaryRow) {
  const { id, slug, title, publicationId, readingMinutes, publishedAt } = row;
  return {
    id,
    slug,
    title,
    author: { id: row.authorId, username: row.username, name: row.name },
    publication: publicationId && { id: publicationId, slug: row.publicationSlug, name: row.publicationName },
    tags: row.tags?.split(',') ?? [],
    readingMinutes,
    claps: Number(row.claps),
    publishedAt,
  };
}

/** The post in full. Only its author sees a draft, and nobody a deleted post. */
async function visible({ db, identity }: QueryRequest, where: { 'p.id': number } | { 'p.slug': string }) {
  const row = await fullQuery(db).where(where).first();
  if (!row || row.status === 'deleted') throw notFound();
  if (row.status === 'draft' && row.authorId !== identity?.['id']) throw notFound();
  return full(row);
}

/** The post in full, whatever its status: what its writes answer. */
export async function fullPost(db: Knex, id: number) {
  return full((await fullQuery(db).where({ 'p.id': id }).first()) as FullRow);
}

type FullRow = SummaryRow & Pick<Post, 'status' | 'createdAt' | 'updatedAt'> & { body: string };

function fullQuery(db: Knex) {
  return postQuery(db).select<FullRow[]>('p.status', 'p.body', 'p.createdAt', 'p.updatedAt');
}

function full(row: FullRow) {
  const { status, body, createdAt, updatedAt } = row;
  return { ...summary(row), status, body: JSON.parse(body), createdAt, updatedAt };
}
