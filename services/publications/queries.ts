import type { Knex } from 'knex';
import type { Queries } from '../kit/index.ts';
import { forbidden, notFound, notSignedIn } from '../refusals.ts';
import { handleOf } from '../request.ts';
import type { Submission } from './events.ts';

export const queries: Queries = {
  async 'GET /publications'({ db }) {
    const rows = await publicationQuery(db).orderBy('b.slug').limit(500);
    return { publications: rows.map(head) };
  },

  async 'GET /publications/:slug'(request) {
    const { db } = request;
    const publication = await findPublication(request.db, handleOf(request, 'slug', 120));
    return { ...(await withEditors(db, publication)), posts: await newestPosts(db, publication.id) };
  },

  async 'GET /publications/:slug/submissions'(request) {
    const { db, identity } = request;
    if (!identity) throw notSignedIn();
    const publication = await findPublication(request.db, handleOf(request, 'slug', 120));
    await requireEditor(db, publication, identity['id'] as number);
    const rows = await submissionQuery(db).where('s.publicationId', publication.id).orderBy('s.id', 'desc').limit(100);
    return { submissions: rows.map(submission) };
  },
};

interface PublicationRow {
  id: number;
  slug: string;
  name: string;
  description: string | null;
  settings: string;
  ownerId: number;
  ownerUsername: string | null;
  ownerName: string | null;
}

function publicationQuery(db: Knex) {
  return db('publications as b')
    .leftJoin('members as o', 'o.id', 'b.ownerId')
    .select<PublicationRow[]>('b.id', 'b.slug', 'b.name', 'b.description', 'b.settings', 'b.ownerId')
    .select('o.username as ownerUsername', 'o.name as ownerName');
}

export async function findPublication(db: Knex, slug: string): Promise<PublicationRow> {
  const publication = await publicationQuery(db).where('b.slug', slug).first();
  if (!publication) throw notFound();
  return publication;
}

function head({ id, slug, name, description, ownerId, ownerUsername, ownerName }: PublicationRow) {
  return { id, slug, name, description, owner: { id: ownerId, username: ownerUsername, name: ownerName } };
}

/** The publication without its posts: what its writes answer. */
export async function publicationView(db: Knex, id: number) {
  return withEditors(db, (await publicationQuery(db).where('b.id', id).first()) as PublicationRow);
}

async function withEditors(db: Knex, publication: PublicationRow) {
  const editors = await db('editors as e')
    .join('members as m', 'm.id', 'e.memberId')
    .where('e.publicationId', publication.id)
    .orderBy('m.id')
    .select('m.id', 'm.username', 'm.name');
  return { ...head(publication), settings: JSON.parse(publication.settings), editors };
}

interface SubmissionRow extends Submission {
  publicationSlug: string;
  publicationName: string;
  ownerId: number;
  slug: string;
  title: string;
  username: string;
  name: string;
}

export function submissionQuery(db: Knex) {
  return db('submissions as s')
    .join('publications as b', 'b.id', 's.publicationId')
    .join('posts as p', 'p.id', 's.postId')
    .join('members as a', 'a.id', 's.authorId')
    .select<SubmissionRow[]>('s.id', 's.publicationId', 'b.slug as publicationSlug', 'b.name as publicationName')
    .select('b.ownerId', 's.postId', 'p.slug', 'p.title', 's.authorId', 'a.username', 'a.name')
    .select('s.status', 's.submittedAt', 's.decidedAt');
}

export async function submissionView(db: Knex, id: number) {
  return submission((await submissionQuery(db).where('s.id', id).first()) as SubmissionRow);
}

function submission(row: SubmissionRow) {
  return {
    id: row.id,
    publication: { id: row.publicationId, slug: row.publicationSlug, name: row.publicationName },
    post: { id: row.postId, slug: row.slug, title: row.title },
    author: { id: row.authorId, username: row.username, name: row.name },
    status: row.status,
    submittedAt: row.submittedAt,
    decidedAt: row.decidedAt,
  };
}

/** Published posts of a publication, newest first. */
async function newestPosts(db: Knex, publicationId: number) {
  const rows = await db('posts as p')
    .leftJoin('members as a', 'a.id', 'p.authorId')
    .where({ 'p.publicationId': publicationId, 'p.status': 'published' })
    .orderBy([
      { column: 'p.publishedAt', order: 'desc' },
      { column: 'p.id', order: 'desc' },
    ])
    .limit(20)
    .select('p.id', 'p.slug', 'p.title', 'p.authorId', 'a.username', 'a.name', 'p.publishedAt');
  return rows.map(({ id, slug, title, authorId, username, name, publishedAt }) => ({
    id,
    slug,
    title,
    author: { id: authorId, username, name },
    publishedAt,
  }));
}

type Editable = Pick<PublicationRow, 'id' | 'ownerId'>;

export async function requireEditor(db: Knex, publication: Editable, memberId: number): Promise<void> {
  const { id, ownerId } = publication;
  if (ownerId === memberId) return;
  const editor = await db('editors').where({ publicationId: id, memberId }).first('memberId');
  if (!editor) throw forbidden('This is for the owner and the editors.');
}
