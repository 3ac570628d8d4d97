import { randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify<string, string, number, { N: number }, Buffer>(scrypt);
const COST = 1024;

/** `scrypt$cost$salt$key`: signing in stays with the monolith, which reads it. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16).toString('base64url');
  const key = await derive(password, salt, 32, { N: COST });
  return `scrypt$${COST}$${salt}$${key.toString('base64url')}`;
}
