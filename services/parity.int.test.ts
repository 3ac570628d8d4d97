import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Knex } from 'knex';
import mysql from 'mysql2/promise';
import pino from 'pino';
import { SELECT_OPTIONS, SELECT_SESSION } from '../cdc/values/select.ts';
import { createApp } from '../monolith/app.ts';
import { connect } from '../monolith/database.ts';
import { fill } from '../monolith/fill.ts';
import { AWKWARD } from '../monolith/fill-text.ts';
import { createSchema } from '../monolith/schema.ts';
import { openSession } from '../monolith/session.ts';
import { startMariadb } from '../scripts/lib/mariadb.ts';
import { claps } from './claps/domain.ts';
import { createServiceApp } from './kit/http/app.ts';
import { IDENTITY_HEADER, signIdentity } from './kit/http/identity-header.ts';
import type { Domain } from './kit/index.ts';
import { openMysqlStores } from './kit/store/mysql/stores.ts';
import { FilledStore } from './kit/test-support.ts';
import { posts } from './posts/domain.ts';
import { profiles } from './profiles/domain.ts';
import { publications } from './publications/domain.ts';
import { seedEvents } from './test-support.ts';

const DOMAINS = [posts, claps, profiles, publications];
const SECRET = 'only for this test, and long enough';

jest.setTimeout(300_000);

let db: Knex;
let monolith: Server;
/** On each kind of store. */
const services = new Map<Domain, [store: string, Server][]>();
/** In the order of making; run from the last to the first. */
const cleanUps: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const mariadb = await startMariadb();
  cleanUps.push(() => mariadb.stop());
  const { host, port, user, password } = mariadb;
  const connection = await mysql.createConnection({ host, port, user, password, ...SELECT_OPTIONS });
  cleanUps.push(() => connection.end());
  await connection.query('CREATE DATABASE site');
  db = connect({ host, port, user, password, database: 'site' });
  cleanUps.push(() => db.destroy());
  await createSchema(db);
  await fill(db, { posts: 120, claps: 1500, seed: 7 });
  await addRareRows();
  monolith = await listen(createApp(db));
  await connection.query(SELECT_SESSION);
  const events = await seedEvents(connection, 'site', DOMAINS);
  const stores = { host, port, user, password };
  for (const domain of DOMAINS) {
    const { name, projection } = domain;
    const origin = { projection, logIdentity: 'test', partitions: {} };
    const onServer = openMysqlStores({ server: stores, prefix: 'stores_', domain: name, ...origin });
    const inFile = await serve(domain, await FilledStore.open(projection, events));
    const inDatabase = await serve(domain, await FilledStore.open(projection, events, onServer));
    services.set(domain, [
      ['SQLite', inFile],
      ['MariaDB', inDatabase],
    ]);
  }
});

afterAll(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

async function serve(domain: Domain, filled: FilledStore): Promise<Server> {
  cleanUps.push(() => filled.close());
  await filled.store.setApplied({ position: '1', freshAt: Date.now() });
  const app = { live: () => filled.reader, secret: SECRET, maxLagMs: 600_000, stopped: () => undefined };
  return listen(createServiceApp({ domain, ...app, logger: pino({ level: 'warn' }) }));
}

async function listen(app: { listen(port: number, host: string): Server }): Promise<Server> {
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  cleanUps.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

/** What `fill` does not make: more than fits on a page, equal sort keys, rows that name others which are not there. */
async function addRareRows(): Promise<void> {
  const second = '2025-06-01 12:00:00';
  const post = (columns: object) => ({
    author_id: 2,
    title: 'Rare',
    body: '{"blocks":[]}',
    reading_minutes: '0.00',
    status: 'published',
    published_at: second,
    created_at: second,
    updated_at: `${second}.500`,
    ...columns,
  });
  const many = (count: number, row: (n: number) => object) => Array.from({ length: count }, (_, n) => row(n));
  const draft = { author_id: 3, status: 'draft', published_at: null };
  await db('members').insert(
    ['a', 'a-b', 'a0', 'ab', 'z', '0', 'a'.repeat(40)].map((username, n) => {
      const status = n % 2 === 0 ? 'active' : 'suspended';
      return { username, name: AWKWARD[n], bio: AWKWARD[n + 1], status, joined_at: '1999-12-31 23:59:59' };
    }),
  );
  await db('publications').insert(
    many(510, (n) => ({
      slug: n === 9 ? 'a'.repeat(120) : `p-${n}`,
      name: `P${n}`,
      owner_id: [4242, 49][n] ?? 2,
      settings: BODIES[n] ?? '{}',
    })),
  );
  await db('posts').insert([
    ...many(45, (n) => post({ id: 1000 + n, slug: `same-second-${n}`, publication_id: 1 })),
    ...many(105, (n) => post({ slug: `d-${n}`, ...draft, updated_at: `2025-06-0${1 + (n % 3)} 00:00:00.00${n % 2}` })),
    ...BODIES.map((body, n) => post({ slug: `body-${n}`, body, reading_minutes: '9999.99' })),
    ...AWKWARD.map((title, n) => post({ slug: `title-${n}`, title: `${title}\0` })),
    post({ slug: 'no-author', author_id: 4242, publication_id: 2 }),
    post({ slug: 'deleted', status: 'deleted', publication_id: 2 }),
    post({ slug: 'a'.repeat(120) }),
    post({ slug: 'no-publication', publication_id: 4242 }),
    post({ slug: 'no-date', published_at: null }),
    post({ slug: 'back-to-draft', ...draft, published_at: second, publication_id: 2 }),
  ]);
  const { last } = await db('posts').max('id as last').first<{ last: number }>();
  await db('post_tags').insert(many(60, (n) => ({ post_id: last - (n % 5), tag: `t${n}-${n % 7}` })));
  await db('claps').insert([
    ...many(100, (n) => ({ member_id: n + 1, post_id: last - 2, count: 50, updated_at: `${second}.123` })),
    ...many(45, (n) => ({ member_id: 5, post_id: 1000 + n, count: 1, updated_at: `${second}.001` })),
    ...[last, 4242].map((post_id) => ({ member_id: 4242, post_id, count: 3, updated_at: `${second}.000` })),
  ]);
  await db.raw('UPDATE posts SET clap_count = (SELECT COALESCE(SUM(count), 0) FROM claps WHERE post_id = posts.id)');
  const submission = { publication_id: 1, author_id: 2, status: 'refused', submitted_at: second, decided_at: second };
  await db('submissions').insert([
    ...many(110, (n) => ({ ...submission, post_id: n + 1 })),
    { ...submission, post_id: 4242 },
    { ...submission, post_id: 1, author_id: 4242 },
    { ...submission, post_id: 1, status: 'pending', decided_at: null },
  ]);
}

/** JSON as writers of all kinds leave it behind. */
const BODIES = [
  '{"z":1,"blocks":[],"a":{"é":1,"e":2,"E":3,"_":4,"10":5,"9":6}}',
  '{ "blocks" : [ ] , "n" : [1.0, 1e3, -0, 0.1, 630.50, 9007199254740991, -1.5E-7] }',
  '{"blocks":[],"__proto__":{"b":1,"a":2},"constructor":null,"toString":"x"}',
  '{"blocks":[],"twice":1,"twice":{"b":[],"a":{}}}',
  '{"blocks":[],"text":"\\u0000\\u2028\\ud83c\\udf33 🌳 \\/ \\" \\\\ \\b\\f\\n\\r\\t"}',
  `{"blocks":[],"deep":${'[{"b":'.repeat(14)}{}${',"a":0}]'.repeat(14)}}`,
  `{"blocks":[{"type":"paragraph","text":"${'long '.repeat(20_000)}"}]}`,
];

interface Viewer {
  name: string;
  headers: Record<string, string>;
}

const VISITOR: Viewer = { name: 'a visitor', headers: {} };

/** Signs in to the monolith, and has what it says of the member signed for the services, as the router does. */
async function signIn(memberId: number, name = `member ${memberId}`): Promise<Viewer> {
  const cookie = `sid=${await openSession(db, memberId)}`;
  const session = await fetch(`${base(monolith)}/session`, { headers: { cookie } });
  const { member } = (await session.json()) as { member: Record<string, unknown> };
  return { name, headers: { cookie, [IDENTITY_HEADER]: signIdentity(member, SECRET, Date.now() + 600_000) } };
}

const base = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

interface Request {
  route: string;
  path: string;
  viewer: Viewer;
}

/** Sends each request to both sides. Returns the differences, and the statuses seen on each route. */
async function compare(domain: Domain, requests: readonly Request[]) {
  const differences: string[] = [];
  const statuses: Record<string, Set<number>> = {};
  const queue = [...requests];
  const worker = async () => {
    for (let request = queue.shift(); request; request = queue.shift()) {
      const { route, path, viewer } = request;
      const sides: [string, Server][] = [['monolith', monolith], ...(services.get(domain) ?? [])];
      const [theirs, ...ours] = await Promise.all(
        sides.map(async ([side, server]) => {
          const response = await fetch(base(server) + path, { headers: viewer.headers });
          const type = response.headers.get('content-type');
          return { side, status: response.status, text: `${response.status} ${type} ${await response.text()}` };
        }),
      );
      if (!theirs) continue;
      statuses[route] = (statuses[route] ?? new Set()).add(theirs.status);
      for (const { side, text } of ours.filter((answer) => answer.text !== theirs.text))
        differences.push(`${path} as ${viewer.name} on ${side}: ${describeFirst(theirs.text, text)}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return { differences: differences.slice(0, 20), statuses };
}

function describeFirst(monolith: string, service: string): string {
  let at = 0;
  while (monolith[at] === service[at]) at++;
  const around = (text: string) => `…${text.slice(Math.max(0, at - 60), at)}⟦${text.slice(at, at + 60)}⟧…`;
  return `\n  monolith ${around(monolith)}\n  service  ${around(service)}`;
}

const IDS = '0 -1 01 1.5 x 1e3 4242 999999999999999 1000000000000000 %31 1%20 %F0%9F%8C%B3 a%2Fb 1%00'.split(' ');
const HANDLES = [
  ...'nobody No-body no--body -a a- %61 a%27b a%00b a%20 me by-slug %E2%82%AC'.split(' '),
  ...[40, 41, 120, 121].map((length) => 'a'.repeat(length)),
];
const PAGES = ' = =0 =-1 =01 =1.5 =x =1%20 =%31 =99999 =100000 =1&page=2 []=2 =2&x=1'.split(' ');

/** A path for each of the values that exist, and for those that do not. */
const paths = (pattern: string, values: readonly (string | number)[]) =>
  values.map((value) => pattern.replace(':', String(value)));

/** Pages that exist, the one behind them, and malformed ones. */
const paged = (path: string, last: number) => [
  path,
  ...Array.from({ length: last + 1 }, (_, n) => `${path}?page=${n + 1}`),
  ...PAGES.map((page) => `${path}?page${page}`),
];

/** The same paths for visitor, author, editor, admin and a suspended member. */
async function asEveryone(route: string, all: readonly string[]): Promise<Request[]> {
  const { owner_id } = await db('publications').where({ id: 1 }).first<{ owner_id: number }>();
  const { member_id } = await db('publication_editors').where({ publication_id: 1 }).first<{ member_id: number }>();
  const viewers = [
    VISITOR,
    await signIn(3, 'author'),
    await signIn(owner_id, 'owner'),
    await signIn(member_id, 'editor'),
    await signIn(1, 'admin'),
    await signIn(49, 'suspended member'),
  ];
  return viewers.flatMap((viewer) => all.map((path) => ({ route, path, viewer })));
}

const asVisitor = (route: string, all: readonly string[]): Request[] =>
  all.map((path) => ({ route, path, viewer: VISITOR }));

const column = (table: string, name: string) => db(table).distinct().orderBy(name).pluck<(string | number)[]>(name);

const isOneOfMany = (slug: string | number) => /^p-\d\d+$/.test(String(slug));

describe('the service answers as the monolith does, byte for byte:', () => {
  it('posts', async () => {
    const [ids, slugs, tags, authors] = await Promise.all([
      column('posts', 'id'),
      column('posts', 'slug'),
      column('post_tags', 'tag'),
      column('posts', 'author_id'),
    ]);
    const drafts = await db('posts')
      .where({ status: 'draft' })
      .select<{ id: number; slug: string; author_id: number }[]>();
    const own = await Promise.all(
      authors
        .filter((id) => Number(id) < 4242)
        .map(async (id) => {
          const viewer = await signIn(Number(id));
          const mine = drafts
            .filter((draft) => draft.author_id === id)
            .flatMap((draft) => [
              { route: 'GET /posts/:id', path: `/posts/${draft.id}`, viewer },
              { route: 'GET /posts/by-slug/:slug', path: `/posts/by-slug/${draft.slug}`, viewer },
            ]);
          return [{ route: 'GET /me/drafts', path: '/me/drafts', viewer }, ...mine];
        }),
    );
    const { differences, statuses } = await compare(posts, [
      ...(await asEveryone('GET /posts', paged('/posts', 20))),
      ...(await asEveryone('GET /posts/:id', paths('/posts/:', [...ids, ...IDS]))),
      ...(await asEveryone('GET /posts/by-slug/:slug', paths('/posts/by-slug/:', [...slugs, ...HANDLES]))),
      ...(await asEveryone('GET /me/drafts', ['/me/drafts'])),
      ...(await asEveryone('GET /tags', ['/tags'])),
      ...(await asEveryone('GET /tags/:tag', paths('/tags/:', [...tags, ...HANDLES]))),
      ...(await asEveryone('GET /tags/:tag', [
        ...paged(`/tags/${tags.at(-1)}`, 2),
        ...paged('/tags/javascript', 3),
        ...paged('/tags/No', 1),
      ])),
      ...own.flat(),
    ]);
    expect(differences).toEqual([]);
    expect(statuses).toEqual({
      'GET /posts': new Set([200, 400]),
      'GET /posts/:id': new Set([200, 404]),
      'GET /posts/by-slug/:slug': new Set([200, 404]),
      'GET /me/drafts': new Set([200, 401]),
      'GET /tags': new Set([200]),
      'GET /tags/:tag': new Set([200, 400, 404]),
    });
  });

  it('claps', async () => {
    const [ids, members] = await Promise.all([column('posts', 'id'), column('members', 'id')]);
    const { differences, statuses } = await compare(claps, [
      ...(await asEveryone('GET /posts/:id/claps', paths('/posts/:/claps', [...ids, ...IDS]))),
      ...(await asEveryone('GET /members/:id/claps', paths('/members/:/claps', [...members, ...IDS]))),
      ...asVisitor(
        'GET /members/:id/claps',
        [...members, 4242, 'x'].flatMap((id) => paged(`/members/${id}/claps`, 4)),
      ),
    ]);
    expect(differences).toEqual([]);
    expect(statuses).toEqual({
      'GET /posts/:id/claps': new Set([200, 404]),
      'GET /members/:id/claps': new Set([200, 400, 404]),
    });
  });

  it('profiles', async () => {
    const usernames = await column('members', 'username');
    const { differences, statuses } = await compare(profiles, [
      ...(await asEveryone('GET /members', paged('/members', 3))),
      ...(await asEveryone('GET /members/:username', paths('/members/:', [...usernames, ...HANDLES]))),
    ]);
    expect(differences).toEqual([]);
    expect(statuses).toEqual({ 'GET /members': new Set([200, 400]), 'GET /members/:username': new Set([200, 404]) });
  });

  it('publications', async () => {
    const [slugs, members] = await Promise.all([column('publications', 'slug'), column('members', 'id')]);
    // The many that fill the list are seen by a visitor alone.
    const [many, others] = [slugs.filter(isOneOfMany), [...slugs.filter((slug) => !isOneOfMany(slug)), ...HANDLES]];
    const submissions = paths(
      '/publications/:/submissions',
      slugs.filter((slug) => String(slug).includes('review')),
    );
    const viewers = await Promise.all(members.map((id) => signIn(Number(id))));
    const route = 'GET /publications/:slug/submissions';
    const { differences, statuses } = await compare(publications, [
      ...(await asEveryone('GET /publications', ['/publications'])),
      ...(await asEveryone('GET /publications/:slug', paths('/publications/:', others))),
      ...asVisitor('GET /publications/:slug', paths('/publications/:', many)),
      ...(await asEveryone(route, paths('/publications/:/submissions', others))),
      ...asVisitor(route, paths('/publications/:/submissions', many)),
      ...viewers.flatMap((viewer) => submissions.map((path) => ({ route, path, viewer }))),
    ]);
    expect(differences).toEqual([]);
    expect(statuses).toEqual({
      'GET /publications': new Set([200]),
      'GET /publications/:slug': new Set([200, 404]),
      [route]: new Set([200, 401, 403, 404]),
    });
  });
});
