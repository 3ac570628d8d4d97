import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type Identity, signIdentity } from '../services/kit/http/identity-header.ts';
import { Breaker, type BreakerOptions } from './breaker.ts';

export interface IdentityCacheOptions {
  readonly identify: (headers: IncomingHttpHeaders) => Promise<Identity | null>;
  readonly secret: string;
  readonly ttlMs: number;
  readonly timeoutMs: number;
  readonly breaker: BreakerOptions;
  readonly failed: (error: unknown) => void;
}

/** What proves who someone is. */
export interface Credentials {
  /** The session cookie's value, if the site has one. */
  readonly session: string | undefined;
  readonly cookie: string | undefined;
  readonly authorization: string | undefined;
}

/** The signed header; `undefined` for somebody unknown to the monolith. */
export type SignedIdentity = string | undefined;

interface Entry {
  /** Digest of everything that `identify` may have judged by. */
  readonly proof: string;
  readonly signed: Promise<SignedIdentity>;
  /** Set once `signed` has resolved. */
  known?: { readonly signed: SignedIdentity; readonly until: number };
}

const MAX_ENTRIES = 10_000;
/** How long a service may use the header beyond its time in the cache: the length of a request. */
const HEADER_SLACK_MS = 60_000;
/** Node's own servers take heads of 16 kB. */
const MAX_HEADER_LENGTH = 8_192;

/**
 * Remembers who somebody is, by session.
 *
 * The session's value alone is not proof: with signed cookie sessions anyone can write the value, and only the signature
 * in another cookie tells. So an entry holds for exactly the Cookie and Authorization that were asked about.
 */
export class IdentityCache {
  readonly #options: IdentityCacheOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #breaker: Breaker;

  constructor(options: IdentityCacheOptions) {
    this.#options = options;
    this.#breaker = new Breaker(options.breaker);
  }

  /** At once where it is known. A rejection means that it cannot be had now. */
  signedFor(credentials: Credentials, headers: () => IncomingHttpHeaders): SignedIdentity | Promise<SignedIdentity> {
    if (credentials.cookie === undefined && credentials.authorization === undefined) return undefined;
    const proof = proofOf(credentials);
    const key = credentials.session ?? proof;
    const entry = this.#entries.get(key);
    if (entry?.proof === proof && !(entry.known && entry.known.until <= performance.now())) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
      return entry.known ? entry.known.signed : entry.signed;
    }
    return this.#ask(key, proof, headers());
  }

  /** What a request may have changed is asked for again: also by those who were asking while it ran. */
  forget(credentials: Credentials): void {
    this.#entries.delete(credentials.session ?? proofOf(credentials));
  }

  #ask(key: string, proof: string, headers: IncomingHttpHeaders): Promise<SignedIdentity> {
    const entry: Entry = { proof, signed: this.#identify(headers) };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > MAX_ENTRIES && !oldest.done) this.#entries.delete(oldest.value);
    return entry.signed.then(
      (signed) => {
        entry.known = { signed, until: performance.now() + this.#options.ttlMs };
        return signed;
      },
      (error) => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
        throw error;
      },
    );
  }

  async #identify(headers: IncomingHttpHeaders): Promise<SignedIdentity> {
    const { secret, ttlMs, failed } = this.#options;
    if (!this.#breaker.admits(performance.now())) throw new Error('identify has failed too often');
    try {
      const identity = await this.#judged(headers);
      return identity ? signed(identity, secret, ttlMs) : undefined;
    } catch (error) {
      failed(error);
      throw error;
    }
  }

  /** The breaker is everybody's: it opens for a monolith that cannot say who asks, not for what one user is. */
  async #judged(headers: IncomingHttpHeaders): Promise<Identity | null> {
    const { identify, timeoutMs } = this.#options;
    this.#breaker.sent();
    try {
      const identity = await inTime(identify(headers), timeoutMs);
      this.#breaker.succeeded();
      return identity;
    } catch (error) {
      this.#breaker.failed(performance.now());
      throw error;
    }
  }
}

function signed(identity: Identity, secret: string, ttlMs: number): string {
  const header = signIdentity(identity, secret, Date.now() + ttlMs + HEADER_SLACK_MS);
  if (header.length > MAX_HEADER_LENGTH) throw new RangeError('the identity is too large for a header');
  return header;
}

function proofOf({ cookie, authorization }: Credentials): string {
  return hash('sha256', `${cookie ?? ''}\n${authorization ?? ''}`, 'base64');
}

function inTime<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`identify took longer than ${timeoutMs} ms`)), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
