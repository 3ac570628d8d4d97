import type { Queries } from '../kit/index.ts';
import { notFound } from '../refusals.ts';
import { idOf, pageOf } from '../request.ts';

const PAGE_SIZE = 20;

export const queries: Queries = {
  async 'GET /posts/:id/claps'(request) {
    const { db } = request;
    const postId = idOf(request);
    const post = await db('posts').where({ id: postId, status: 'published' }).first('id');
    if (!post) throw notFound();
    const [sum] = await db('claps').where({ postId }).sum('count as total');
    const members = await db('claps as c')
      .join('members as m', 'm.id', 'c.memberId')
      .where('c.postId', postId)
      .orderBy([{ column: 'c.count', order: 'desc' }, { column: 'c.memberId' }])
      .limit(50)
      .select('c.memberId', 'm.username', 'c.count');
    return { postId, total: Number(sum?.['total']), members };
  },

  async 'GET /members/:id/claps'(request) {
    const { db } = request;
    const memberId = idOf(request);
    const page = pageOf(request);
    const member = await db('members').where({ id: memberId }).first('id');
    if (!member) throw notFound();
    const posts = await db('claps as c')
      .join('posts as p', 'p.id', 'c.postId')
      .where({ 'c.memberId': memberId, 'p.status': 'published' })
      .orderBy([
        { column: 'c.updatedAt', order: 'desc' },
        { column: 'c.postId', order: 'desc' },
      ])
      .limit(PAGE_SIZE)
      .offset((page - 1) * PAGE_SIZE)
      .select('c.postId', 'p.title', 'p.slug', 'c.count', 'c.updatedAt');
    return { memberId, page, posts };
  },
};
