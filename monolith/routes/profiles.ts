import { type Request, Router } from 'express';
import type { Knex } from 'knex';
import { orTaken, transact } from '../database.ts';
import { forbidden, malformed, notFound, refused, taken } from '../errors.ts';
import { answer, created } from '../http.ts';
import { changes, email, fields, handle, page, pathHandle, pathId, text, textOrNull } from '../input.ts';
import { NEWEST_FIRST, PAGE_SIZE, publicationRef } from '../post-views.ts';
import { hashPassword, type Member, writer } from '../session.ts';
import { datetime, now } from '../values.ts';

const MEMBERS_PAGE = 50;

interface MemberRow extends Member {
  name: string;
  bio: string | null;
  joined_at: string;
}

const MEMBER_COLUMNS = ['id', 'username', 'name', 'bio', 'status', 'joined_at'];

export function profileRoutes(db: Knex): Router {
  const router = Router();
  router.get('/members', answer(db, list));
  router.get('/members/:username', answer(db, show));
  router.post('/members', created(db, signUp));
  router.patch('/members/me', answer(db, edit));
  router.post('/members/:id/suspend', answer(db, setStatus('suspended')));
  router.post('/members/:id/reinstate', answer(db, setStatus('active')));
  return router;
}

async function list(db: Knex, req: Request) {
  const rows = await db('members')
    .orderBy('username')
    .limit(MEMBERS_PAGE)
    .offset((page(req) - 1) * MEMBERS_PAGE)
    .select<MemberRow[]>(MEMBER_COLUMNS);
  const members = rows.map(({ id, username, name, status, joined_at }) => ({
    id,
    username,
    name,
    status,
    joinedAt: datetime(joined_at),
  }));
  return { page: page(req), members };
}

function memberView(row: MemberRow) {
  return {
    id: row.id,
    username: row.username,
    name: row.name,
    bio: row.status === 'suspended' ? null : row.bio,
    status: row.status,
    joinedAt: datetime(row.joined_at),
  };
}

async function show(db: Knex, req: Request) {
  const username = pathHandle(req, 'username', 40);
  const member = await db('members').where({ username }).first<MemberRow | undefined>(MEMBER_COLUMNS);
  if (member === undefined) throw notFound();
  const posts = await db('posts as p')
    .where({ author_id: member.id, status: 'published' })
    .orderBy(NEWEST_FIRST)
    .limit(PAGE_SIZE)
    .select<ProfilePost[]>('id', 'slug', 'title', 'published_at', 'publication_id');
  return { ...memberView(member), posts: await Promise.all(posts.map((post) => profilePost(db, post))) };
}

interface ProfilePost {
  id: number;
  slug: string;
  title: string;
  published_at: string;
  publication_id: number | null;
}

/** Two queries for every post of the page; older than posts.clap_count, so it still adds up the claps. */
async function profilePost(db: Knex, post: ProfilePost) {
  const claps = await db('claps')
    .where({ post_id: post.id })
    .first<{ total: number }>(db.raw('CAST(COALESCE(SUM(count), 0) AS UNSIGNED) AS total'));
  const publication = await db('publications')
    .where({ id: post.publication_id })
    .first<{ publication_slug: string; publication_name: string } | undefined>(
      'slug as publication_slug',
      'name as publication_name',
    );
  return {
    id: post.id,
    slug: post.slug,
    title: post.title,
    publishedAt: datetime(post.published_at),
    claps: claps.total,
    publication: publication === undefined ? null : publicationRef({ ...post, ...publication }),
  };
}

async function signUp(db: Knex, req: Request) {
  const input = fields(req);
  const username = handle(40)(input, 'username');
  // `/members/me` is taken by the routes.
  if (username === 'me') throw taken('username');
  const row = {
    username,
    name: text(100)(input, 'name'),
    bio: textOrNull(2000)(input, 'bio'),
    email: email(input, 'email'),
  };
  const password = text(200)(input, 'password');
  if (password.length < 8) throw malformed('password must be at least 8 characters long.');
  const password_hash = await hashPassword(password);
  const [id = 0] = await db('members')
    .insert({ ...row, password_hash, status: 'active', joined_at: now() })
    .catch(orTaken('username'));
  return { location: `/members/${username}`, resource: await reread(db, id) };
}

async function edit(db: Knex, req: Request) {
  const { id } = await writer(db, req);
  const change = changes(fields(req), { name: text(100), bio: textOrNull(2000), email });
  return update(db, id, change);
}

function setStatus(status: Member['status']) {
  return async (db: Knex, req: Request) => {
    const member = await writer(db, req);
    const id = pathId(req);
    if (member.username !== 'admin') throw forbidden('Only the administrator may do this.');
    if (member.id === id) throw refused('own-account', 'The administrator cannot be suspended.');
    return update(db, id, { status });
  };
}

async function update(db: Knex, id: number, change: object) {
  return transact(db, async (trx) => {
    await trx('members').where({ id }).update(change);
    return reread(trx, id);
  });
}

async function reread(db: Knex, id: number) {
  const member = await db('members').where({ id }).first<MemberRow | undefined>(MEMBER_COLUMNS);
  if (member === undefined) throw notFound();
  return memberView(member);
}
