import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Knex } from 'knex';
import pino from 'pino';
import { compileRoutes } from '../../../router/routes.ts';
import type { Domain } from '../domain.ts';
import { Bed, NOTES } from '../projector/test-support.ts';
import { type Queries, Reply, reply } from '../queries.ts';
import { openReader } from '../service.ts';
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
  let store: Knex;
  let server: Server;
  let url: string;
  const queries: Queries = {
    ...Object.fromEntries(READS.map((route, i) => [route, async () => reply(STATUS + i, {})])),
    'GET /replies/returned': async () => otherCopy.reply(STATUS, {}),
    'GET /replies/thrown': async () => {
      throw otherCopy.reply(STATUS, {});
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
    store = openReader(bed.path('1'));
    const options = { secret: '', maxLagMs: 600_000, stopped: () => undefined, logger: pino({ level: 'silent' }) };
    server = createServer(createServiceApp({ domain, live: () => store, ...options }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    await store.destroy();
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

  it.each(['returned', 'thrown'])('know a reply that is %s and made by another copy of the package', async (how) => {
    expect(otherCopy.Reply).not.toBe(Reply);
    expect((await fetch(`${url}/replies/${how}`)).status).toBe(STATUS);
  });
});
