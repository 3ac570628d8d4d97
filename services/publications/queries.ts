import type { Knex } from 'knex';
import { type Queries, type QueryRequest, reply } from '../kit/index.ts';
import { handleOf, notFound } from '../request.ts';

export const queries: Queries = {
  async 'GET /publications'({ db }) {
    const rows = await publicationQuery(db).orderBy('b.slug').limit(500);
    return { publications: rows.map(head) };
  },

  async 'GET /publications/:slug'(request) {
    const { db } = request;
    const publication = await findPublication(request);
    const editors = await db('editors as e')
      .join('members as m', 'm.id', 'e.memberId')
      .where('e.publicationId', publication.id)
      .orderBy('m.id')
      .select('m.id', 'm.username', 'm.name');
    const posts = await newestPosts(db, publication.id);
    return { ...head(publication), settings: JSON.parse(publication.settings), editors, posts };
  },

  async 'GET /publications/:slug/submissions'(request) {
    const { db, identity } = request;
    if (!identity) throw reply(401, { error: 'not-signed-in', message: 'Sign in first.' });
    const publication = await findPublication(request);
    await requireEditor(db, publication, identity['id'] as number);
    const rows = await db('submissions as s')
      .join('posts as p', 'p.id', 's.postId')
      .join('members as a', 'a.id', 's.authorId')
      .where('s.publicationId', publication.id)
      .orderBy('s.id', 'desc')
      .limit(100)
      .select('s.id', 's.postId', 'p.slug', 'p.title', 's.authorId', 'a.username', 'a.name')
      .select('s.status', 's.submittedAt', 's.decidedAt');
    const submissions = rows.map(({ id, postId, slug, title, authorId, username, name, ...decision }) => ({
      id,
      publication: { id: publication.id, slug: publication.slug, name: publication.name },
      post: { id: postId, slug, title },
      author: { id: authorId, username, name },
      ...decision,
    }));
    return { submissions };
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

async function findPublication(request: QueryRequest): Promise<PublicationRow> {
  const slug = handleOf(request, 'slug', 120);
  const publication = await publicationQuery(request.db).where('b.slug', slug).first();
  if (!publication) throw notFound();
  return publication;
}

function head({ id, slug, name, description, ownerId, ownerUsername, ownerName }: PublicationRow) {
  return { id, slug, name, description, owner: { id: ownerId, username: ownerUsername, name: ownerName } };
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

async function requireEditor(db: Knex, { id, ownerId }: PublicationRow, memberId: number): Promise<void> {
  if (ownerId === memberId) return;
  const editor = await db('editors').where({ publicationId: id, memberId }).first('memberId');
  if (!editor) throw reply(403, { error: 'forbidden', message: 'This is for the owner and the editors.' });
}
