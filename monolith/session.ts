import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Request } from 'express';
import type { Knex } from 'knex';
import { notSignedIn, suspended } from './errors.ts';
import { DAY_MS, now, stored } from './values.ts';

export interface Member {
  id: number;
  username: string;
  status: 'active' | 'suspended';
}

export const SESSION_DAYS = 30;

export async function openSession(db: Knex, memberId: number): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  const expiresAt = stored(new Date(Date.now() + SESSION_DAYS * DAY_MS));
  await db('sessions').insert({ token, member_id: memberId, expires_at: expiresAt });
  return token;
}

export function sessionToken(req: Request): string | undefined {
  return /(?:^|;\s*)sid=([\w-]{43})(?:;|$)/.exec(req.headers.cookie ?? '')?.[1];
}

export async function currentMember(db: Knex, req: Request): Promise<Member | null> {
  const token = sessionToken(req);
  if (token === undefined) return null;
  const member = await db('sessions as s')
    .join('members as m', 'm.id', 's.member_id')
    .where('s.token', token)
    .where('s.expires_at', '>', now())
    .first<Member | undefined>('m.id', 'm.username', 'm.status');
  return member ?? null;
}

export async function signedIn(db: Knex, req: Request): Promise<Member> {
  const member = await currentMember(db, req);
  if (member === null) throw notSignedIn();
  return member;
}

/** The member behind a write: a suspended one keeps the session and reads, but changes nothing. */
export async function writer(db: Knex, req: Request): Promise<Member> {
  const member = await signedIn(db, req);
  if (member.status === 'suspended') throw suspended();
  return member;
}

const derive = promisify<string, string, number, { N: number }, Buffer>(scrypt);
/** Low: this is an example, and its load tests sign in a lot. */
const COST = 1024;

/** `scrypt$cost$salt$key` */
export async function hashPassword(password: string, salt = randomBytes(16).toString('base64url')): Promise<string> {
  const key = await derive(password, salt, 32, { N: COST });
  return `scrypt$${COST}$${salt}$${key.toString('base64url')}`;
}

/** Members without a hash came with the old blog and cannot sign in. */
export async function passwordFits(password: string, hash: string | null): Promise<boolean> {
  const [, cost, salt, expected] = (hash ?? '').split('$');
  if (salt === undefined || expected === undefined) return false;
  const key = await derive(password, salt, 32, { N: Number(cost) });
  return timingSafeEqual(key, Buffer.from(expected, 'base64url'));
}
