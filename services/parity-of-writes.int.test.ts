import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { Knex } from 'knex';
import mysql, { type Connection } from 'mysql2/promise';
import { SELECT_OPTIONS, SELECT_SESSION } from '../cdc/values/select.ts';
import { createApp } from '../monolith/app.ts';
import { connect } from '../monolith/database.ts';
import { fill } from '../monolith/fill.ts';
import { createSchema } from '../monolith/schema.ts';
import { openSession, passwordFits } from '../monolith/session.ts';
import { parseJson } from '../monolith/values.ts';
import { startMariadb } from '../scripts/lib/mariadb.ts';
import { claps } from './claps/domain.ts';
import { answerOf, type Command, type CommandRequest, decide } from './kit/commands.ts';
import { type Domain, Reply } from './kit/index.ts';
import { MemoryStore } from './kit/store/sqlite/memory.ts';
import { logged, random } from './kit/test-support.ts';
import { posts } from './posts/domain.ts';
import { profiles } from './profiles/domain.ts';
import { publications } from './publications/domain.ts';
import { RequestMaker, siteOf, type WriteRequest } from './test-requests.ts';
import { HandedBack, seedEvents } from './test-support.ts';

const DOMAINS = [posts, claps, profiles, publications];
const REQUESTS = 1200;

jest.setTimeout(300_000);

/** The monolith's, and where the events of the services are handed back. */
let site: Knex;
let back: Knex;
let connection: Connection;
let monolith: Server;
let handedBack: HandedBack;
const stores = new Map<Domain, MemoryStore>();
const cleanUps: (() => unknown)[] = [];

beforeAll(async () => {
  const mariadb = await startMariadb();
  cleanUps.push(() => mariadb.stop());
  const { host, port, user, password } = mariadb;
  connection = await mysql.createConnection({ host, port, user, password, ...SELECT_OPTIONS });
  cleanUps.push(() => connection.end());
  const open = async (database: string) => {
    await connection.query(`CREATE DATABASE ${database}`);
    const db = connect({ host, port, user, password, database });
    cleanUps.push(() => db.destroy());
    await createSchema(db);
    await fill(db, { posts: 30, claps: 150, members: 40, seed: 3 });
    return db;
  };
  site = await open('site');
  back = await open('back');
  monolith = createApp(site).listen(0, '127.0.0.1');
  cleanUps.push(
    () => monolith.close(),
    () => monolith.closeAllConnections(),
  );
  await connection.query(`${SELECT_SESSION.replace("''", "'STRICT_ALL_TABLES'")}`);
  handedBack = new HandedBack(connection, 'back', DOMAINS);
  for (const domain of DOMAINS) stores.set(domain, await freshStore(domain));
  jest.useFakeTimers({ now: new Date('2026-02-01T00:00:00.000Z'), doNotFake: ALL_BUT_THE_DATE });
});

afterAll(async () => {
  jest.useRealTimers();
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

const ALL_BUT_THE_DATE = [
  ...(['hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate'] as const),
  ...(['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const),
];

async function freshStore({ projection }: Domain): Promise<MemoryStore> {
  const store = await MemoryStore.open(projection);
  cleanUps.push(() => store.close());
  await store.apply(await seedEvents(connection, 'site', DOMAINS));
  return store;
}

const pathOf = ({ route, params }: WriteRequest) =>
  (route.split(' ')[1] ?? '').replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));

const cookies = new Map<number, string>();

/** As the monolith answers: status, address, body. */
async function ofMonolith(request: WriteRequest): Promise<string> {
  const { memberId, route, body } = request;
  if (memberId !== undefined && !cookies.has(memberId)) cookies.set(memberId, await openSession(site, memberId));
  const headers = {
    cookie: memberId === undefined ? '' : `sid=${cookies.get(memberId)}`,
    'content-type': 'application/json',
  };
  const { port } = monolith.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}${pathOf(request)}`, {
    method: route.split(' ')[0] as string,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
  });
  return [response.status, response.headers.get('location') ?? '', await response.text()].join(' ');
}

/** As the service answers; what it decides goes into every store, and back. */
async function ofService(request: WriteRequest, ids: Record<string, number>): Promise<string> {
  const { route, params, body, memberId } = request;
  const domain = DOMAINS.find(({ commands = {} }) => route in commands) as Domain;
  const { db } = stores.get(domain) as MemoryStore;
  const identity =
    memberId === undefined
      ? undefined
      : await site('members').where({ id: memberId }).first('id', 'username', 'status');
  // No body, announced as JSON, is an empty object to the monolith.
  const parsed = JSON.parse(JSON.stringify(body ?? {}));
  const asked: CommandRequest = { params, query: {}, body: parsed, identity, db, now: new Date().toISOString(), newId };
  const decision = await decide(domain.commands?.[route] as Command, asked);
  if (Reply.is(decision)) return text(decision);
  const happened = decision.events.map((event) => ({ ...event, ...domain.encode(event) }));
  const events = happened.map(({ type, version, data }) => logged(domain.name, 0, type, JSON.parse(data), version));
  for (const store of stores.values()) await store.apply(events);
  for (const { type, data } of happened)
    await handedBack.apply(domain.handback?.[type]?.({ data: JSON.parse(data) }) ?? []);
  const answer = text(await answerOf(decision, db));
  for (const event of decision.events) if (event.type === 'SubmissionAccepted') await place(event.data);
  return answer;

  function newId(table: string): number {
    return ids[table] as number;
  }
}

const text = ({ status, headers, body }: Reply) =>
  [status, headers['location'] ?? '', body === undefined ? '' : JSON.stringify(body)].join(' ');

/** What the processor does: the monolith has placed the post by itself. */
async function place(data: object): Promise<void> {
  const { postId, publicationId } = data as { postId: number; publicationId: number };
  const route = 'PUT /posts/:id/publication';
  await compare({ route, params: { id: String(postId) }, body: { publicationId }, memberId: 1 });
}

const statuses: Record<string, number[]> = {};

async function compare(request: WriteRequest): Promise<void> {
  const [rows] = await connection.query(
    "SELECT TABLE_NAME, AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'site'",
  );
  const ids = Object.fromEntries((rows as [string, string][]).map(([table, id]) => [table, Number(id)]));
  const theirs = await ofMonolith(request);
  const ours = await ofService(request, ids);
  expect({ request, answer: ours }).toEqual({ request, answer: theirs });
  const known = statuses[request.route] ?? [];
  statuses[request.route] = [...new Set([...known, Number(theirs.slice(0, 3))])].sort((a, b) => a - b);
}

it('commands answer as the monolith does, and leave the same rows', async () => {
  const next = random(11);
  const maker = new RequestMaker(next);
  for (let n = 0; n < REQUESTS; n++) {
    jest.setSystemTime(Date.now() + Math.floor(next() * 2000));
    await compare(maker.make(await siteOf(site)));
  }
  expect(statuses).toEqual(EXPECTED);
  for (const table of DOMAINS.flatMap(({ tables }) => Object.keys(tables)))
    expect({ table, rows: await rowsOf(back, table) }).toEqual({ table, rows: await rowsOf(site, table) });
  for (const [domain, store] of stores) expect(await store.rows()).toEqual(await (await freshStore(domain)).rows());
  const joined = await back('members').where('username', 'like', 'member-%').pluck<string[]>('password_hash');
  expect(joined.length).toBeGreaterThan(5);
  for (const hash of joined) expect(await passwordFits('correct horse', hash)).toBe(true);
});

/** Salts differ. */
async function rowsOf(db: Knex, table: string): Promise<unknown[]> {
  const rows = await db(table).select();
  const normal = rows.map(({ password_hash: _, body, settings, ...row }) => ({
    ...row,
    json: parseJson(body ?? settings ?? 'null'),
  }));
  return normal.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** Each way to answer each route was taken. */
const EXPECTED = {
  'POST /posts': [201, 400, 401, 403, 409],
  'PATCH /posts/:id': [200, 400, 401, 403, 404],
  'POST /posts/:id/publish': [200, 401, 403, 404, 422],
  'PUT /posts/:id/publication': [200, 400, 401, 403, 404, 422],
  'DELETE /posts/:id': [204, 401, 403, 404],
  'POST /posts/:id/claps': [200, 400, 401, 403, 404, 422],
  'DELETE /posts/:id/claps': [200, 401, 403, 404],
  'POST /members': [201, 400, 409],
  'PATCH /members/me': [200, 400, 401, 403],
  'POST /members/:id/suspend': [200, 401, 403, 404, 422],
  'POST /members/:id/reinstate': [200, 401, 403, 404, 422],
  'POST /publications': [201, 400, 401, 403, 409],
  'PATCH /publications/:slug': [200, 400, 401, 403, 404],
  'PUT /publications/:slug/editors/:memberId': [200, 401, 403, 404],
  'DELETE /publications/:slug/editors/:memberId': [200, 401, 403, 404],
  'POST /publications/:slug/submissions': [201, 400, 401, 403, 404, 422],
  'POST /submissions/:id/accept': [200, 401, 403, 404, 422],
  'POST /submissions/:id/refuse': [200, 401, 403, 404, 422],
  'DELETE /members/:id/submissions': [204, 401, 403, 404],
};
