import type { Knex } from 'knex';
import { fieldsOf, integer } from '../input.ts';
import { type Command, type Commands, command, reply } from '../kit/index.ts';
import { forbidden, notFound, refused } from '../refusals.ts';
import { created, handleOf, idOf, seconds, writerOf } from '../request.ts';
import type { events, Submission } from './events.ts';
import { findPublication, requireEditor, submissionQuery, submissionView } from './queries.ts';

/** The commands about submissions. */
export const commands: Commands<typeof events> = {
  'POST /publications/:slug/submissions': command({
    async load(request) {
      const { id: memberId } = await writerOf(request);
      const slug = handleOf(request, 'slug', 120);
      const postId = integer(fieldsOf(request), 'postId', 2 ** 32 - 1);
      const publication = await findPublication(request.db, slug);
      return { memberId, slug, postId, publicationId: publication.id, ...(await postState(request.db, postId)) };
    },
    decide({ memberId, slug, postId, publicationId, post, isWaiting }, { now, newId }) {
      if (!post || post.status === 'deleted') throw notFound();
      if (post.authorId !== memberId) throw post.status === 'draft' ? notFound() : forbidden('This post is not yours.');
      if (post.status === 'draft') throw refused('not-published', 'Publish the post first.');
      if (post.isPlaced) throw refused('in-publication', 'The post already is in a publication.');
      if (isWaiting) throw refused('already-submitted', 'The post is waiting for a decision.');
      const id = newId('submissions');
      const given = { id, publicationId, postId, authorId: memberId };
      const data: Submission = { ...given, status: 'pending', submittedAt: seconds(now), decidedAt: null };
      return {
        events: [{ type: 'SubmissionReceived', key: id, data }],
        answer: async (db) => created(`/publications/${slug}/submissions`, await submissionView(db, id)),
      };
    },
  }),

  'POST /submissions/:id/accept': settle('accepted', 'SubmissionAccepted'),
  'POST /submissions/:id/refuse': settle('refused', 'SubmissionRefused'),

  /** Takes back whatever of a member waits for a decision; nothing waits: nothing to do. */
  'DELETE /members/:id/submissions': command({
    async load(request) {
      const { username } = await writerOf(request);
      const authorId = idOf(request);
      if (username !== 'admin') throw forbidden('Only the administrator may do this.');
      return request.db('submissions').where({ authorId, status: 'pending' }).orderBy('id').pluck<number[]>('id');
    },
    decide: (pending) => ({
      events: pending.map((id) => ({ type: 'SubmissionErased', key: id, data: { id } })),
      answer: reply(204),
    }),
  }),
};

/** The post of an accepted submission gets into the publication by the processor that hears of it. */
function settle(
  status: 'accepted' | 'refused',
  type: 'SubmissionAccepted' | 'SubmissionRefused',
): Command<typeof events> {
  return command({
    async load(request) {
      const { db } = request;
      const { id: memberId } = await writerOf(request);
      const view = await submissionQuery(db).where('s.id', idOf(request)).first();
      if (!view) throw notFound();
      await requireEditor(db, { id: view.publicationId, ownerId: view.ownerId }, memberId);
      const submission: Submission = await db('submissions').where({ id: view.id }).first();
      return { submission, ...(await postState(db, submission.postId)) };
    },
    decide({ submission, post }, { now }) {
      const { id } = submission;
      if (submission.status !== 'pending') throw refused('already-decided', 'This submission has been decided.');
      if (status === 'accepted') {
        if (post?.status !== 'published') throw refused('not-published', 'The post is no longer published.');
        if (post.isPlaced) throw refused('in-publication', 'The post already is in a publication.');
      }
      const data: Submission = { ...submission, status, decidedAt: seconds(now) };
      return { events: [{ type, key: id, data }], answer: (db) => submissionView(db, id) };
    },
  });
}

interface PostState {
  post: { status: string; authorId: number; isPlaced: boolean } | undefined;
  isWaiting: boolean;
}

async function postState(db: Knex, postId: number): Promise<PostState> {
  const post = await db('posts').where({ id: postId }).first('status', 'authorId', 'publicationId');
  const decisions = await db('submissions').where({ postId }).pluck<string[]>('status');
  // What was accepted a moment ago may not have come back from the posts yet.
  const isPlaced = post?.publicationId !== null || decisions.includes('accepted');
  return { post: post && { ...post, isPlaced }, isWaiting: decisions.includes('pending') };
}
