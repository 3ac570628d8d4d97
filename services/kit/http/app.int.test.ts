import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { compileRoutes } from '../../../router/routes.ts';
import type { Domain } from '../domain.ts';
import { serviceFault } from '../errors.ts';
import { Bed, NOTES } from '../projector/test-support.ts';
import { type Queries, Reply, reply } from '../queries.ts';
import type { StoreReader } from '../store/types.ts';
import { createServiceApp } from './app.ts';

/** Each answers with its place as the status: a HEAD has no body to tell it by. */
const READS = [
  'GET /orders/:id',
  'GET /orders/open',
  'GET /orders/Open',
  'GET /orders',
  'GET /orders/',
  'GET /:kind/:id/items',
  'GET /orders/:id/:part',
  'GET /orders/open/items',
  'GET /:kind/new',
  'HEAD /orders/open',
  'HEAD /shops/:id',
  'GET /shops/new',
];
const STATUS = 210;

const otherPath: string = '../queries.ts?other';
const otherCopy = (await import(otherPath)) as typeof import('../queries.ts');

describe('the routes of a service', () => {
  let bed: Bed;
  let store: StoreReader;
  let server: Server;
  let broken: Error | undefined;
  let url: string;
  const queries: Queries = {
    ...Object.fromEntries(READS.map((route, i) => [route, async () => reply(STATUS + i, {})])),
    'GET /replies/returned': async () => otherCopy.reply(STATUS, {}, { 'x-reply': 'returned' }),
    'GET /replies/thrown': async () => {
      throw otherCopy.reply(STATUS, {}, { 'x-reply': 'thrown' });
    },
  };
  const reads = Object.keys(queries).map((route) => {
    const [method = '', path = ''] = route.split(' ');
    return { method, path };
  });
  const domain: Domain = { ...NOTES, routes: { reads, writes: [] }, queries };
  const table = compileRoutes(reads.map((route) => ({ ...route, kind: 'read', domain: 'notes' })));

  beforeAll(async () => {
    bed = await Bed.make();
    await bed.open('1').setApplied({ position: '1', freshAt: Date.now() });
    store = bed.stores.reader('1');
    const options = { secret: '', maxLagMs: 600_000, stopped: () => undefined, logger: pino({ level: 'silent' }) };
    server = createServer(
      createServiceApp({
        domain,
        live: () => (broken ? { ...store, read: () => Promise.reject(broken) } : store),
        ...options,
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    await store.close();
    await bed[Symbol.asyncDispose]();
  });

  it.each([
    ['GET', '/orders'],
    ['GET', '/orders/'],
    ['GET', '/orders/17'],
    ['GET', '/orders/open'],
    ['GET', '/orders/Open'],
    ['GET', '/orders/OPEN'],
    ['GET', '/Orders/open'],
    ['GET', '/orders/open/'],
    ['GET', '/orders/open/items'],
    ['GET', '/orders/17/items'],
    ['GET', '/shops/17/items'],
    ['GET', '/orders/new'],
    ['GET', '/shops/new'],
    ['GET', '/carts/new'],
    ['GET', '/orders/caf%C3%A9'],
    ['HEAD', '/orders/open'],
    ['HEAD', '/orders/17'],
    ['HEAD', '/shops/new'],
    ['HEAD', '/carts/new'],
    ['GET', '/shops/17'],
  ])('lead %s %s where the router does', async (method, path) => {
    const { status } = await fetch(url + path, { method });
    const route = table.match(method, path);
    expect(READS[status - STATUS]).toBe(route && `${route.method} ${route.path}`);
  });

  it.each([
    ['cannot be reached at present', serviceFault('BNY-SERVICE-STORE-BLOCKED'), [503, 'BNY-SERVICE-STORE-BLOCKED']],
    ['is damaged', serviceFault('BNY-SERVICE-STORE-DAMAGED'), [500, null]],
  ])('leave it to the monolith when the store %s', async (_, fault, [status, behind]) => {
    broken = fault;
    const [{ status: asked, headers }, ready] = (await Promise.all(
      ['/orders/17', '/readyz'].map((path) => fetch(url + path)),
    )) as [Response, Response];
    broken = undefined;
    expect([asked, headers.get('banyan-behind')?.slice(0, 25) ?? null]).toEqual([status, behind]);
    expect(ready.status).toBe(503);
  });

  it.each(['returned', 'thrown'])('know a reply that is %s and made by another copy of the package', async (how) => {
    expect(otherCopy.Reply).not.toBe(Reply);
    const { status, headers } = await fetch(`${url}/replies/${how}`);
    expect([status, headers.get('x-reply')]).toEqual([STATUS, how]);
  });
});
