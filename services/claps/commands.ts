import { fieldsOf, integer } from '../input.ts';
import { type CommandRequest, type Commands, command, reply } from '../kit/index.ts';
import { notFound, refused } from '../refusals.ts';
import { idOf, milliseconds, writerOf } from '../request.ts';
import type { events } from './events.ts';

/** Of one member for one post. */
const MOST_CLAPS = 50;

export const commands: Commands<typeof events> = {
  'POST /posts/:id/claps': command({
    async load(request) {
      const member = await writerOf(request);
      const postId = idOf(request);
      const more = integer(fieldsOf(request), 'count', MOST_CLAPS);
      return { more, ...(await clapsFor(request, postId, member.id)) };
    },
    decide({ more, own = 0, total, memberId, postId }, { now }) {
      const count = own + more;
      if (count > MOST_CLAPS)
        throw refused('too-many-claps', `At most ${MOST_CLAPS} claps for a post.`, { count: own });
      const data = { memberId, postId, count, updatedAt: milliseconds(now) };
      return {
        events: [{ type: 'PostClapped', key: postId, data }],
        answer: reply(200, { postId, count, total: total + more }),
      };
    },
  }),

  'DELETE /posts/:id/claps': command({
    async load(request) {
      const member = await writerOf(request);
      return clapsFor(request, idOf(request), member.id);
    },
    decide({ own, total, memberId, postId }) {
      const data = { memberId, postId };
      return {
        events: own === undefined ? [] : [{ type: 'ClapsTakenBack', key: postId, data }],
        answer: reply(200, { postId, count: 0, total: total - (own ?? 0) }),
      };
    },
  }),
};

interface Clapped {
  postId: number;
  memberId: number;
  /** Undefined: none so far. */
  own: number | undefined;
  total: number;
}

async function clapsFor({ db }: CommandRequest, postId: number, memberId: number): Promise<Clapped> {
  const post = await db('posts').where({ id: postId, status: 'published' }).first('id');
  if (!post) throw notFound();
  const mine = await db('claps').where({ postId, memberId }).first('count');
  const [sum] = await db('claps').where({ postId }).sum('count as total');
  return { postId, memberId, own: mine?.count, total: Number(sum?.['total']) };
}
