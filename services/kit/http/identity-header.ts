import { createHmac, timingSafeEqual } from 'node:crypto';

/** Who makes a request, as `identify` in the configuration said it: any JSON object. */
export type Identity = Readonly<Record<string, unknown>>;

export type VerifiedIdentity =
  | { readonly identity: Identity }
  | { readonly refused: 'malformed' | 'forged' | 'expired' };

export const IDENTITY_HEADER = 'banyan-identity';

/** `<base64url(JSON {identity, exp})>.<base64url(HMAC-SHA256)>`; `exp` is in seconds, as in a JWT. */
export function signIdentity(identity: Identity, secret: string, expiresAtMs: number): string {
  const payload = Buffer.from(JSON.stringify({ identity, exp: Math.ceil(expiresAtMs / 1000) })).toString('base64url');
  return `${payload}.${mac(payload, secret).toString('base64url')}`;
}

/** For services: what the header says, if it was the router who said it. */
export function verifyIdentity(header: string, secret: string, nowMs = Date.now()): VerifiedIdentity {
  const dot = header.indexOf('.');
  if (dot === -1) return { refused: 'malformed' };
  const payload = header.slice(0, dot);
  const signature = Buffer.from(header.slice(dot + 1), 'base64url');
  const expected = mac(payload, secret);
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return { refused: 'forged' };
  const { identity, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return exp * 1000 > nowMs ? { identity } : { refused: 'expired' };
}

function mac(payload: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(payload).digest();
}
