import express, { type Express, type Request, type Response } from 'express';
import type { Logger } from 'pino';
import { BanyanError } from '../../../log/index.ts';
import type { Domain, Route } from '../domain.ts';
import { ask, type Query, type QueryRequest, Reply } from '../queries.ts';
import { type Applied, NOTHING_APPLIED, type StoreReader } from '../store/types.ts';
import { type Identity, verifyIdentity } from './identity-header.ts';

export interface AppOptions {
  domain: Domain;
  /** The live store, asked for at each request: a replay swaps it. */
  live(): StoreReader;
  /** Key of the identity header. */
  secret: string;
  /** A store older than this answers no reads: the router goes to the monolith instead. */
  maxLagMs: number;
  /** Why the service answers no reads at present, if so. */
  stopped(): string | undefined;
  logger: Logger;
}

/**
 * A domain's HTTP side: its read routes, health and readiness. `Banyan-Behind` in an answer says that the store is not
 * far enough for this request; the router then asks the monolith.
 */
export function createServiceApp(options: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('case sensitive routing', true);
  app.set('strict routing', true);
  app.get('/livez', (_, res) => void res.json({ status: 'ok' }));
  app.get('/readyz', async (_, res) => {
    let applied = NOTHING_APPLIED;
    let problem = options.stopped();
    try {
      if (!problem) applied = await options.live().read(async (_, now) => now);
      problem ??= tooOld(applied, options.maxLagMs);
    } catch (error) {
      problem = String(error);
    }
    res.status(problem ? 503 : 200).json({ status: problem ?? 'ok', lagSeconds: lagOf(applied) / 1000, ...applied });
  });
  for (const route of inOrderOfMatching(options.domain.routes.reads)) addRoute(app, route, options);
  app.use((_, res) => void problem(res, 404, 'Not a route of this service'));
  return app;
}

/** Express takes the first that fits; the router a HEAD of its own first, and from left to right a literal first. */
function inOrderOfMatching(routes: readonly Route[]): Route[] {
  const rank = ({ method, path }: Route) =>
    [method !== 'HEAD', ...path.split('/').map((segment) => segment.startsWith(':'))].map(Number).join('');
  return routes.toSorted((a, b) => rank(a).localeCompare(rank(b)));
}

function addRoute(app: Express, { method, path }: Route, options: AppOptions): void {
  const query = options.domain.queries[`${method} ${path}`] as Query;
  app[method === 'HEAD' ? 'head' : 'get'](path, async (req, res) => {
    try {
      await answer(query, req, res, options);
    } catch (error) {
      options.logger.error({ error, route: path }, 'query failed');
      if (res.headersSent) return;
      if (BanyanError.is(error) && error.retryable) behind(res, error.message);
      else problem(res, 500, 'The query failed');
    }
  });
}

async function answer(query: Query, req: Request, res: Response, options: AppOptions): Promise<void> {
  const identity = readIdentity(req, options.secret);
  if (identity === 'forged') return problem(res, 403, 'The identity header is not the router’s');
  if (identity === 'expired') return behind(res, 'the identity header has expired on its way');
  const stopped = options.stopped();
  if (stopped) return behind(res, stopped);
  await options.live().read(async (db, applied) => {
    const needed = req.get('banyan-min-position');
    const lag = tooOld(applied, options.maxLagMs);
    if (lag) return behind(res, lag);
    if (needed !== undefined && applied.position < needed) return behind(res, applied.position);
    const params = req.params as QueryRequest['params'];
    const result = await ask(query, { params, query: req.query as QueryRequest['query'], identity, db });
    if (Reply.is(result)) res.status(result.status).set(result.headers).json(result.body);
    else res.json(result);
  });
}

function readIdentity(req: Request, secret: string): Identity | undefined | 'forged' | 'expired' {
  const header = req.get('banyan-identity');
  if (header === undefined) return undefined;
  const verified = verifyIdentity(header, secret);
  if ('identity' in verified) return verified.identity;
  return verified.refused === 'expired' ? 'expired' : 'forged';
}

function lagOf({ freshAt }: Applied): number {
  return Math.max(0, Date.now() - freshAt);
}

function tooOld(applied: Applied, maxLagMs: number): string | undefined {
  const lag = lagOf(applied);
  return lag > maxLagMs ? `the store is ${Math.round(lag / 1000)} s behind` : undefined;
}

function behind(res: Response, why: string): void {
  res.set('Banyan-Behind', why);
  problem(res, 503, 'The store is behind');
}

function problem(res: Response, status: number, title: string): void {
  res
    .status(status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', title, status }));
}
