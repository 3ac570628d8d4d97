import { type Request, Router } from 'express';
import type { Knex } from 'knex';
import { orTaken, transact } from '../database.ts';
import { forbidden, notFound } from '../errors.ts';
import { answer, created } from '../http.ts';
import { changes, fields, handle, jsonObject, pathHandle, pathId, text, textOrNull } from '../input.ts';
import { NEWEST_FIRST, PAGE_SIZE } from '../post-views.ts';
import { type Member, writer } from '../session.ts';
import { datetime, parseJson } from '../values.ts';

interface Publication {
  id: number;
  slug: string;
  name: string;
  description: string | null;
  settings: string;
  owner_id: number;
  owner_username: string;
  owner_name: string;
}

export function publicationRoutes(db: Knex): Router {
  const router = Router();
  router.get('/publications', answer(db, list));
  router.get('/publications/:slug', answer(db, show));
  router.post('/publications', created(db, create));
  router.patch('/publications/:slug', answer(db, edit));
  router.put('/publications/:slug/editors/:memberId', answer(db, addEditor));
  router.delete('/publications/:slug/editors/:memberId', answer(db, removeEditor));
  return router;
}

function publicationQuery(db: Knex) {
  return db('publications as b')
    .leftJoin('members as o', 'o.id', 'b.owner_id')
    .select('b.id', 'b.slug', 'b.name', 'b.description', 'b.settings', 'b.owner_id')
    .select('o.username as owner_username', 'o.name as owner_name');
}

export const slugOf = (req: Request) => pathHandle(req, 'slug', 120);

export async function findPublication(db: Knex, slug: string): Promise<Publication> {
  const publication: Publication | undefined = await publicationQuery(db).where('b.slug', slug).first();
  if (publication === undefined) throw notFound();
  return publication;
}

function head(publication: Publication) {
  const { id, slug, name, description } = publication;
  const owner = { id: publication.owner_id, username: publication.owner_username, name: publication.owner_name };
  return { id, slug, name, description, owner };
}

async function list(db: Knex) {
  const rows: Publication[] = await publicationQuery(db).orderBy('b.slug').limit(500);
  return { publications: rows.map(head) };
}

/** The publication without its posts: what its writes answer. */
async function resource(db: Knex, slug: string) {
  const publication = await findPublication(db, slug);
  const editors = await db('publication_editors as e')
    .join('members as m', 'm.id', 'e.member_id')
    .where('e.publication_id', publication.id)
    .orderBy('m.id')
    .select<{ id: number; username: string; name: string }[]>('m.id', 'm.username', 'm.name');
  return { ...head(publication), settings: parseJson(publication.settings), editors };
}

interface PostRow {
  id: number;
  slug: string;
  title: string;
  author_id: number;
  username: string;
  name: string;
  published_at: string;
}

async function show(db: Knex, req: Request) {
  const publication = await resource(db, slugOf(req));
  const rows: PostRow[] = await db('posts as p')
    .leftJoin('members as a', 'a.id', 'p.author_id')
    .where({ 'p.publication_id': publication.id, 'p.status': 'published' })
    .orderBy(NEWEST_FIRST)
    .limit(PAGE_SIZE)
    .select('p.id', 'p.slug', 'p.title', 'p.author_id', 'a.username', 'a.name', 'p.published_at');
  const posts = rows.map((row) => ({
    id: row.id,
    slug: row.slug,
    title: row.title,
    author: { id: row.author_id, username: row.username, name: row.name },
    publishedAt: datetime(row.published_at),
  }));
  return { ...publication, posts };
}

async function create(db: Knex, req: Request) {
  const owner = await writer(db, req);
  const input = fields(req);
  const slug = handle(120)(input, 'slug');
  const row = {
    slug,
    name: text(100)(input, 'name'),
    description: textOrNull(2000)(input, 'description'),
    owner_id: owner.id,
    settings: JSON.stringify(jsonObject(input, 'settings')),
  };
  await db('publications').insert(row).catch(orTaken('slug'));
  return { location: `/publications/${slug}`, resource: await resource(db, slug) };
}

async function edit(db: Knex, req: Request) {
  const member = await writer(db, req);
  const slug = slugOf(req);
  const readers = { name: text(100), description: textOrNull(2000), settings: jsonObject };
  const { settings, ...rest } = changes(fields(req), readers);
  const json = settings === undefined ? {} : { settings: JSON.stringify(settings) };
  return asOwner(db, member, slug, (trx, id) =>
    trx('publications')
      .where({ id })
      .update({ ...rest, ...json }),
  );
}

async function addEditor(db: Knex, req: Request) {
  const member = await writer(db, req);
  const editor = { member_id: pathId(req, 'memberId') };
  return asOwner(db, member, slugOf(req), async (trx, id) => {
    if ((await trx('members').where({ id: editor.member_id }).first('id')) === undefined) throw notFound();
    await trx('publication_editors')
      .insert({ ...editor, publication_id: id })
      .onConflict()
      .ignore();
  });
}

async function removeEditor(db: Knex, req: Request) {
  const member = await writer(db, req);
  const editor = { member_id: pathId(req, 'memberId') };
  return asOwner(db, member, slugOf(req), (trx, id) =>
    trx('publication_editors')
      .where({ ...editor, publication_id: id })
      .delete(),
  );
}

type Change = (trx: Knex.Transaction, id: number) => PromiseLike<unknown>;

/** Locks the publication, lets only its owner change it, and answers it as it is then. */
async function asOwner(db: Knex, member: Member, slug: string, change: Change) {
  return transact(db, async (trx) => {
    const publication = await trx('publications')
      .where({ slug })
      .forUpdate()
      .first<{ id: number; owner_id: number } | undefined>('id', 'owner_id');
    if (publication === undefined) throw notFound();
    if (publication.owner_id !== member.id) throw forbidden('This publication is not yours.');
    await change(trx, publication.id);
    return resource(trx, slug);
  });
}
