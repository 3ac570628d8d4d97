import type { Knex } from 'knex';
import type { Identity } from './http/identity-header.ts';

export interface QueryRequest {
  params: Readonly<Record<string, string>>;
  /** A parameter that was given more than once is a list. */
  query: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** `undefined`: not signed in. */
  identity: Identity | undefined;
  /** The store, read-only, at one moment for the whole request. JSON columns are text. */
  db: Knex;
}

type Headers = Readonly<Record<string, string>>;

const BRAND = Symbol.for('banyan.reply');

/**
 * An answer that is not a plain 200. A query returns it, or throws it. Branded by symbol: a domain may have taken it from
 * another copy of the package.
 */
export class Reply {
  readonly [BRAND] = true;
  readonly status: number;
  /** `undefined`: none. */
  readonly body: unknown;
  readonly headers: Headers;

  constructor(status: number, body: unknown, headers: Headers = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }

  static is(value: unknown): value is Reply {
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}

export function reply(status: number, body?: unknown, headers?: Headers): Reply {
  return new Reply(status, body, headers);
}

/** Answers one read route from the store alone: the body, or a {@link Reply}. */
export type Query = (request: QueryRequest) => Promise<unknown>;

/** What a query answers, a thrown {@link Reply} included. */
export async function ask<Asked>(query: (asked: Asked) => Promise<unknown>, asked: Asked): Promise<unknown> {
  try {
    return await query(asked);
  } catch (error) {
    if (Reply.is(error)) return error;
    throw error;
  }
}

/** Read route (`GET /orders/:id`) → its query. */
export type Queries = Readonly<Record<string, Query>>;
