import { type Reply, reply } from './kit/index.ts';

/** What the example's monolith refuses, in its words. */

const refusal = (status: number, error: string, message: string, more: object = {}): Reply =>
  reply(status, { error, message, ...more });

export const malformed = (message: string) => refusal(400, 'malformed', message);
export const notSignedIn = () => refusal(401, 'not-signed-in', 'Sign in first.');
export const suspended = () => refusal(403, 'suspended', 'This account is suspended.');
export const forbidden = (message: string) => refusal(403, 'forbidden', message);
export const notFound = () => refusal(404, 'not-found', 'There is nothing here.');
export const taken = (what: string) => refusal(409, 'taken', `This ${what} is taken.`);
export const refused = (code: string, message: string, more?: object) => refusal(422, code, message, more);
