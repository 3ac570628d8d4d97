import { type Request, Router } from 'express';
import type { Knex } from 'knex';
import { transact } from '../database.ts';
import { forbidden, notFound } from '../errors.ts';
import { answer, created } from '../http.ts';
import { fields, pathId, text } from '../input.ts';
import { signedIn, writer } from '../session.ts';
import { datetime, now } from '../values.ts';

export function listRoutes(db: Knex): Router {
  const router = Router();
  router.get('/me/lists', answer(db, listOwn));
  router.get(
    '/lists/:id',
    answer(db, (_, req) => show(db, pathId(req))),
  );
  router.post('/me/lists', created(db, create));
  router.put('/lists/:id/items/:postId', answer(db, add));
  router.delete('/lists/:id/items/:postId', answer(db, remove));
  return router;
}

async function listOwn(db: Knex, req: Request) {
  const member = await signedIn(db, req);
  const lists = await db('reading_lists as l')
    .leftJoin('reading_list_items as i', 'i.list_id', 'l.id')
    .where('l.member_id', member.id)
    .groupBy('l.id')
    .orderBy('l.id')
    .select<{ id: number; name: string; items: number }[]>('l.id', 'l.name', db.raw('COUNT(i.post_id) AS items'));
  return { lists };
}

/** Anyone with its address may read a list. Posts that are no longer published are left out. */
async function show(db: Knex, id: number) {
  const list = await db('reading_lists').where({ id }).first<{ name: string; member_id: number } | undefined>();
  if (list === undefined) throw notFound();
  const items = await db('reading_list_items as i')
    .join('posts as p', 'p.id', 'i.post_id')
    .where({ 'i.list_id': id, 'p.status': 'published' })
    .orderBy(['i.position', 'i.post_id'])
    .select<{ postId: number; slug: string; title: string; position: number; addedAt: string }[]>(
      'i.post_id as postId',
      'p.slug',
      'p.title',
      'i.position',
      'i.added_at as addedAt',
    );
  const dated = items.map((item) => ({ ...item, addedAt: datetime(item.addedAt) }));
  return { id, name: list.name, memberId: list.member_id, items: dated };
}

async function create(db: Knex, req: Request) {
  const member = await writer(db, req);
  const name = text(100)(fields(req), 'name');
  const [id = 0] = await db('reading_lists').insert({ member_id: member.id, name });
  return { location: `/lists/${id}`, resource: await show(db, id) };
}

/** At the end; what is in the list already stays where it is. */
async function add(db: Knex, req: Request) {
  const member = await writer(db, req);
  const [id, postId] = [pathId(req), pathId(req, 'postId')];
  return transact(db, async (trx) => {
    await lockList(trx, id, member.id);
    const post = await trx('posts').where({ id: postId, status: 'published' }).first('id');
    if (post === undefined) throw notFound();
    const { last } = await trx('reading_list_items')
      .where({ list_id: id })
      .first<{ last: number }>(trx.raw('COALESCE(MAX(position), 0) AS last'));
    await trx('reading_list_items')
      .insert({ list_id: id, post_id: postId, position: last + 1, added_at: now() })
      .onConflict()
      .ignore();
    return show(trx, id);
  });
}

async function remove(db: Knex, req: Request) {
  const member = await writer(db, req);
  const [id, postId] = [pathId(req), pathId(req, 'postId')];
  return transact(db, async (trx) => {
    await lockList(trx, id, member.id);
    await trx('reading_list_items').where({ list_id: id, post_id: postId }).delete();
    return show(trx, id);
  });
}

async function lockList(trx: Knex.Transaction, id: number, memberId: number): Promise<void> {
  const list = await trx('reading_lists')
    .where({ id })
    .forUpdate()
    .first<{ member_id: number } | undefined>('member_id');
  if (list === undefined) throw notFound();
  if (list.member_id !== memberId) throw forbidden('This list is not yours.');
}
