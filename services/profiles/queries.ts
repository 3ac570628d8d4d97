import type { Knex } from 'knex';
import type { Queries } from '../kit/index.ts';
import { notFound } from '../refusals.ts';
import { handleOf, pageOf } from '../request.ts';

const MEMBERS_PAGE = 50;
const POSTS_SHOWN = 20;

export const queries: Queries = {
  async 'GET /members'(request) {
    const page = pageOf(request);
    const members = await request
      .db('members')
      .orderBy('username')
      .limit(MEMBERS_PAGE)
      .offset((page - 1) * MEMBERS_PAGE)
      .select('id', 'username', 'name', 'status', 'joinedAt');
    return { page, members };
  },

  async 'GET /members/:username'(request) {
    const { db } = request;
    const member = await db('members')
      .where({ username: handleOf(request, 'username', 40) })
      .first('id', 'username', 'name', 'bio', 'status', 'joinedAt');
    if (!member) throw notFound();
    const bio = member.status === 'suspended' ? null : member.bio;
    return { ...member, bio, posts: await newestPosts(db, member.id) };
  },
};

async function newestPosts(db: Knex, authorId: number) {
  const rows = await db('posts as p')
    .leftJoin('publications as b', 'b.id', 'p.publicationId')
    .where({ 'p.authorId': authorId, 'p.status': 'published' })
    .orderBy([
      { column: 'p.publishedAt', order: 'desc' },
      { column: 'p.id', order: 'desc' },
    ])
    .limit(POSTS_SHOWN)
    .select('p.id', 'p.slug', 'p.title', 'p.publishedAt')
    .select('b.id as publicationId', 'b.slug as publicationSlug', 'b.name as publicationName')
    .select(db.raw('(SELECT SUM(c.count) FROM claps c WHERE c.postId = p.id) AS claps'));
  return rows.map(({ publicationId, publicationSlug, publicationName, claps, ...post }) => ({
    ...post,
    claps: Number(claps),
    publication: publicationId && { id: publicationId, slug: publicationSlug, name: publicationName },
  }));
}
