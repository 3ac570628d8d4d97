import { type Request, Router } from 'express';
import type { Knex } from 'knex';
import { transact } from '../database.ts';
import { forbidden, notFound, refused } from '../errors.ts';
import { answer, created, done } from '../http.ts';
import { fields, integer, pathId } from '../input.ts';
import { publicationRef } from '../post-views.ts';
import { signedIn, writer } from '../session.ts';
import { datetime, now } from '../values.ts';
import { findPublication, slugOf } from './publications.ts';

type Decision = 'accepted' | 'refused';

export function submissionRoutes(db: Knex): Router {
  const router = Router();
  router.get('/publications/:slug/submissions', answer(db, list));
  router.post('/publications/:slug/submissions', created(db, submit));
  router.post('/submissions/:id/accept', answer(db, decide('accepted')));
  router.post('/submissions/:id/refuse', answer(db, decide('refused')));
  router.delete('/members/:id/submissions', done(db, withdraw));
  return router;
}

interface SubmissionRow {
  id: number;
  publication_id: number;
  publication_slug: string;
  publication_name: string;
  owner_id: number;
  post_id: number;
  post_slug: string;
  title: string;
  author_id: number;
  username: string;
  name: string;
  status: 'pending' | Decision;
  submitted_at: string;
  decided_at: string | null;
}

function submissionQuery(db: Knex) {
  return db('submissions as s')
    .join('publications as b', 'b.id', 's.publication_id')
    .join('posts as p', 'p.id', 's.post_id')
    .join('members as a', 'a.id', 's.author_id')
    .select('s.id', 's.publication_id', 'b.slug as publication_slug', 'b.name as publication_name', 'b.owner_id')
    .select('s.post_id', 'p.slug as post_slug', 'p.title', 's.author_id', 'a.username', 'a.name')
    .select('s.status', 's.submitted_at', 's.decided_at');
}

function submissionView(row: SubmissionRow) {
  return {
    id: row.id,
    publication: publicationRef(row),
    post: { id: row.post_id, slug: row.post_slug, title: row.title },
    author: { id: row.author_id, username: row.username, name: row.name },
    status: row.status,
    submittedAt: datetime(row.submitted_at),
    decidedAt: datetime(row.decided_at),
  };
}

async function list(db: Knex, req: Request) {
  const member = await signedIn(db, req);
  const publication = await findPublication(db, slugOf(req));
  await requireEditor(db, member.id, publication);
  const rows: SubmissionRow[] = await submissionQuery(db)
    .where('s.publication_id', publication.id)
    .orderBy('s.id', 'desc')
    .limit(100);
  return { submissions: rows.map(submissionView) };
}

async function requireEditor(db: Knex, memberId: number, publication: { id: number; owner_id: number }): Promise<void> {
  if (publication.owner_id === memberId) return;
  const editor = { publication_id: publication.id, member_id: memberId };
  if ((await db('publication_editors').where(editor).first('member_id')) === undefined) {
    throw forbidden('This is for the owner and the editors.');
  }
}

async function submit(db: Knex, req: Request) {
  const member = await writer(db, req);
  const slug = slugOf(req);
  const postId = integer(fields(req), 'postId', 2 ** 32 - 1);
  const publication = await findPublication(db, slug);
  return transact(db, async (trx) => {
    const post = await lockPost(trx, postId);
    if (post === undefined || post.status === 'deleted') throw notFound();
    if (post.author_id !== member.id) throw post.status === 'draft' ? notFound() : forbidden('This post is not yours.');
    if (post.status === 'draft') throw refused('not-published', 'Publish the post first.');
    if (post.publication_id !== null) throw refused('in-publication', 'The post already is in a publication.');
    const pending = await trx('submissions').where({ post_id: postId, status: 'pending' }).first('id');
    if (pending !== undefined) throw refused('already-submitted', 'The post is waiting for a decision.');
    const [id = 0] = await trx('submissions').insert({
      publication_id: publication.id,
      post_id: postId,
      author_id: member.id,
      status: 'pending',
      submitted_at: now(),
    });
    return { location: `/publications/${slug}/submissions`, resource: await reread(trx, id) };
  });
}

interface LockedPost {
  author_id: number;
  status: 'draft' | 'published' | 'deleted';
  publication_id: number | null;
}

/** Its lock puts submitting and deciding in order: both take it before they read a submission. */
async function lockPost(trx: Knex.Transaction, id: number): Promise<LockedPost | undefined> {
  return trx('posts').where({ id }).forUpdate().first('author_id', 'status', 'publication_id');
}

function decide(decision: Decision) {
  return async (db: Knex, req: Request) => {
    const member = await writer(db, req);
    const row: SubmissionRow | undefined = await submissionQuery(db).where('s.id', pathId(req)).first();
    if (row === undefined) throw notFound();
    const publication = { id: row.publication_id, owner_id: row.owner_id };
    await requireEditor(db, member.id, publication);
    return settle(db, row, decision);
  };
}

/** Accepting also moves the post into the publication: one transaction over two domains. */
async function settle(db: Knex, { id, post_id, publication_id }: SubmissionRow, decision: Decision) {
  return transact(db, async (trx) => {
    const post = await lockPost(trx, post_id);
    const submission = await trx('submissions').where({ id }).first<{ status: string } | undefined>('status');
    if (submission === undefined) throw notFound();
    if (submission.status !== 'pending') throw refused('already-decided', 'This submission has been decided.');
    if (decision === 'accepted') {
      if (post?.status !== 'published') throw refused('not-published', 'The post is no longer published.');
      if (post.publication_id !== null) throw refused('in-publication', 'The post already is in a publication.');
      await trx('posts')
        .where({ id: post_id })
        .update({ publication_id, updated_at: now(3) });
    }
    await trx('submissions').where({ id }).update({ status: decision, decided_at: now() });
    return reread(trx, id);
  });
}

/** Takes back whatever of a member waits for a decision; nothing waits: nothing to do. */
async function withdraw(db: Knex, req: Request): Promise<void> {
  const asker = await writer(db, req);
  const author_id = pathId(req);
  if (asker.username !== 'admin') throw forbidden('Only the administrator may do this.');
  await transact(db, async (trx) => {
    const pending = { author_id, status: 'pending' };
    const posts = await trx('submissions').where(pending).orderBy('post_id').pluck<number[]>('post_id');
    for (const post of posts) await lockPost(trx, post);
    await trx('submissions').where(pending).whereIn('post_id', posts).delete();
  });
}

async function reread(db: Knex, id: number) {
  const row: SubmissionRow | undefined = await submissionQuery(db).where('s.id', id).first();
  if (row === undefined) throw notFound();
  return submissionView(row);
}
