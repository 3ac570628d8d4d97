import { Router } from 'express';
import type { Knex } from 'knex';
import { HttpError } from '../errors.ts';
import { answer } from '../http.ts';
import { fields, text } from '../input.ts';
import { currentMember, openSession, passwordFits, SESSION_DAYS, sessionToken } from '../session.ts';
import { stored } from '../values.ts';

export function sessionRoutes(db: Knex): Router {
  const router = Router();
  router.get(
    '/session',
    answer(db, async (_, req) => ({ member: await currentMember(db, req) })),
  );
  router.post('/login', async (req, res) => {
    const token = await signIn(db, text(40)(fields(req), 'username'), text(200)(fields(req), 'password'));
    res
      .status(204)
      .set('Set-Cookie', `${cookie(token)}; Max-Age=${SESSION_DAYS * 24 * 60 * 60}`)
      .end();
  });
  router.post('/logout', async (req, res) => {
    const token = sessionToken(req);
    if (token !== undefined) await db('sessions').where({ token }).delete();
    res
      .status(204)
      .set('Set-Cookie', `${cookie('')}; Max-Age=0`)
      .end();
  });
  return router;
}

const cookie = (token: string) => `sid=${token}; HttpOnly; Path=/; SameSite=Lax`;

async function signIn(db: Knex, username: string, password: string): Promise<string> {
  const member = await db('members')
    .where({ username })
    .first<{ id: number; password_hash: string | null } | undefined>('id', 'password_hash');
  if (member === undefined || !(await passwordFits(password, member.password_hash))) {
    throw new HttpError(401, 'wrong-credentials', 'No member has this username and password.');
  }
  const token = await openSession(db, member.id);
  // Only statistics: nobody is kept out when it cannot be written.
  await db('members')
    .where({ id: member.id })
    .update({ last_seen_at: stored(new Date(), 3) })
    .catch(() => undefined);
  return token;
}
