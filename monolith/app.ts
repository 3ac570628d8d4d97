import express from 'express';
import type { Knex } from 'knex';
import { notFound } from './errors.ts';
import { answerErrors } from './http.ts';
import { clapRoutes } from './routes/claps.ts';
import { feedRoutes } from './routes/feed.ts';
import { listRoutes } from './routes/lists.ts';
import { postRoutes } from './routes/posts.ts';
import { profileRoutes } from './routes/profiles.ts';
import { publicationRoutes } from './routes/publications.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { submissionRoutes } from './routes/submissions.ts';

export interface AppOptions {
  /** Told of what is answered with 500. */
  onError?: (error: unknown) => void;
}

export function createApp(db: Knex, { onError = console.error }: AppOptions = {}): express.Express {
  const app = express();
  app.set('etag', false).disable('x-powered-by');
  app.use(express.json({ limit: '256kb', reviver: refuseBrokenText }));
  app.use(sessionRoutes(db), postRoutes(db), clapRoutes(db), profileRoutes(db));
  app.use(publicationRoutes(db), submissionRoutes(db), feedRoutes(db), listRoutes(db));
  app.use(() => {
    throw notFound();
  });
  app.use(answerErrors(onError));
  return app;
}

/** Half of an emoji would be stored as something else. */
function refuseBrokenText(key: string, value: unknown): unknown {
  if (!key.isWellFormed() || (typeof value === 'string' && !value.isWellFormed())) throw new SyntaxError('broken text');
  return value;
}
