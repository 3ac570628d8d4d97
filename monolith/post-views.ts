import type { Knex } from 'knex';
import { datetime, parseJson, timestamp } from './values.ts';

export const PAGE_SIZE = 20;

/** Many posts share their second; the id decides. */
export const NEWEST_FIRST = [
  { column: 'p.published_at', order: 'desc' },
  { column: 'p.id', order: 'desc' },
];

export interface SummaryRow {
  id: number;
  slug: string;
  title: string;
  author_id: number;
  author_username: string;
  author_name: string;
  publication_id: number | null;
  publication_slug: string;
  publication_name: string;
  tags: string | null;
  reading_minutes: string;
  clap_count: number;
  published_at: string | null;
}

export interface PostRow extends SummaryRow {
  status: 'draft' | 'published' | 'deleted';
  body: string;
  created_at: string;
  updated_at: string;
}

const SUMMARY_COLUMNS = [
  'p.id',
  'p.slug',
  'p.title',
  'p.author_id',
  'a.username as author_username',
  'a.name as author_name',
  'p.publication_id',
  'b.slug as publication_slug',
  'b.name as publication_name',
  'p.reading_minutes',
  'p.clap_count',
  'p.published_at',
];

/** Posts as `p`, authors as `a`, publications as `b`. Left joins, so that the order of posts drives the plan. */
export function postQuery(db: Knex) {
  return db('posts as p')
    .leftJoin('members as a', 'a.id', 'p.author_id')
    .leftJoin('publications as b', 'b.id', 'p.publication_id')
    .select(SUMMARY_COLUMNS)
    .select(db.raw('(SELECT GROUP_CONCAT(t.tag ORDER BY t.tag) FROM post_tags t WHERE t.post_id = p.id) AS tags'));
}

/** Published posts, newest first: 20 of them. */
export async function newestPosts(db: Knex, page: number, tag?: string) {
  const query = postQuery(db).where('p.status', 'published');
  if (tag !== undefined) query.whereIn('p.id', db('post_tags').select('post_id').where({ tag }));
  const rows: SummaryRow[] = await query
    .orderBy(NEWEST_FIRST)
    .limit(PAGE_SIZE)
    .offset((page - 1) * PAGE_SIZE);
  return rows.map(summary);
}

export function summary(row: SummaryRow) {
  return {
    id: row.id,
    slug: row.slug,
    title: row.title,
    author: { id: row.author_id, username: row.author_username, name: row.author_name },
    publication: publicationRef(row),
    tags: row.tags?.split(',') ?? [],
    readingMinutes: row.reading_minutes,
    claps: row.clap_count,
    publishedAt: datetime(row.published_at),
  };
}

export function publicationRef(row: {
  publication_id: number | null;
  publication_slug: string;
  publication_name: string;
}) {
  if (row.publication_id === null) return null;
  return { id: row.publication_id, slug: row.publication_slug, name: row.publication_name };
}

/** A post in full, whatever its status. */
export async function findPost(
  db: Knex,
  where: { 'p.id': number } | { 'p.slug': string },
): Promise<PostRow | undefined> {
  return postQuery(db).select('p.status', 'p.body', 'p.created_at', 'p.updated_at').where(where).first();
}

export function fullPost(row: PostRow) {
  return {
    ...summary(row),
    status: row.status,
    body: parseJson(row.body),
    createdAt: datetime(row.created_at),
    updatedAt: timestamp(row.updated_at),
  };
}
