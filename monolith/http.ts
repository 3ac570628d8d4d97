import type { ErrorRequestHandler, Request, RequestHandler } from 'express';
import type { Knex } from 'knex';
import { isTimeout } from './database.ts';
import { busy, HttpError, malformed } from './errors.ts';

type Work<T> = (db: Knex, req: Request) => Promise<T>;

/** 200 with what `work` returns. */
export function answer(db: Knex, work: Work<unknown>): RequestHandler {
  return async (req, res) => {
    res.json(await work(db, req));
  };
}

/** 201 with the new resource and its address. */
export function created(db: Knex, work: Work<{ location: string; resource: unknown }>): RequestHandler {
  return async (req, res) => {
    const { location, resource } = await work(db, req);
    res.status(201).location(location).json(resource);
  };
}

/** 204. */
export function done(db: Knex, work: Work<void>): RequestHandler {
  return async (req, res) => {
    await work(db, req);
    res.status(204).end();
  };
}

export function answerErrors(onError: (error: unknown) => void): ErrorRequestHandler {
  return (error: unknown, _req, res, next) => {
    if (res.headersSent) return next(error);
    const refusal = refusalOf(error);
    if (refusal === undefined) onError(error);
    const { status, code, message, more } = refusal ?? new HttpError(500, 'internal', 'Something went wrong.');
    res.status(status).json({ error: code, message, ...more });
  };
}

function refusalOf(error: unknown): HttpError | undefined {
  if (error instanceof HttpError) return error;
  if (isTimeout(error)) return busy();
  // Express and its body parser: broken JSON, broken percent-encoding, a body over the limit.
  const status = (error as { status?: unknown } | null)?.status;
  if (status === 413) return new HttpError(413, 'too-large', 'The body is too large.');
  if (typeof status === 'number' && status >= 400 && status < 500) return malformed('The request cannot be read.');
  return undefined;
}
