import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mysql, { type Connection } from 'mysql2/promise';
import { Translator } from '../cdc/emitter/translate.ts';
import { SELECT_OPTIONS } from '../cdc/values/select.ts';
import { connect } from '../monolith/database.ts';
import { fill } from '../monolith/fill.ts';
import { createSchema } from '../monolith/schema.ts';
import { type Mariadb, startMariadb } from '../scripts/lib/mariadb.ts';
import { claps } from './claps/domain.ts';
import { posts } from './posts/domain.ts';
import { profiles } from './profiles/domain.ts';
import { publications } from './publications/domain.ts';
import { capturedRows, HandedBack, seedEvents } from './test-support.ts';

const DOMAINS = [profiles, publications, posts, claps];

let mariadb: Mariadb;
let connection: Connection;
let handedBack: HandedBack;

beforeAll(async () => {
  mariadb = await startMariadb();
  const { host, port, user, password } = mariadb;
  connection = await mysql.createConnection({ host, port, user, password, ...SELECT_OPTIONS });
  // As strict as a server is by default: a value that does not fit is an error.
  await connection.query("SET SESSION time_zone = '+00:00', sql_mode = 'TRADITIONAL'");
  for (const database of ['site', 'back']) {
    await connection.query(`CREATE DATABASE ${database}`);
    const db = connect({ host, port, user, password, database });
    await createSchema(db);
    if (database === 'site') await fill(db, { posts: 80, claps: 400, seed: 5 });
    await db.destroy();
  }
  handedBack = new HandedBack(connection, 'back', DOMAINS);
});

afterAll(async () => {
  await connection.end();
  await mariadb.stop();
});

const TABLES = DOMAINS.flatMap((domain) => Object.keys(domain.tables).map((table) => ({ domain, table })));

async function rowsIn(schema: string) {
  const tables = TABLES.map(async ({ domain, table }) => [
    table,
    await capturedRows(connection, schema, domain, table),
  ]);
  return Object.fromEntries(await Promise.all(tables));
}

async function counters(schema: string) {
  const [rows] = await connection.query(`SELECT id, clap_count FROM ${schema}.posts ORDER BY id`);
  return rows as [number, number][];
}

async function handBack(events: readonly { topic: string; type: string; data: string }[]): Promise<void> {
  for (const { topic, type, data } of events) {
    const handback = DOMAINS.find(({ name }) => name === topic)?.handback?.[type];
    await handedBack.apply(handback?.({ data: JSON.parse(data) }) ?? []);
  }
}

describe('in the tables of the monolith', () => {
  it('the events of all rows make the same rows again, counters included, however often', async () => {
    const events = await seedEvents(connection, 'site', DOMAINS);
    await handBack(events);
    await handBack(events);
    expect(await rowsIn('back')).toEqual(await rowsIn('site'));
    expect(await counters('back')).toEqual(await counters('site'));
  });

  it('the events of rows that are gone remove these', async () => {
    const translator = new Translator(DOMAINS);
    for (const { domain, table } of TABLES.toReversed()) {
      const rows = await capturedRows(connection, 'site', domain, table);
      const changes = rows.map(({ key, after }) => ({ table, kind: 'delete' as const, key, before: after }));
      const transaction = { position: '1', gtid: 'g', committedAt: '2026-01-01T00:00:00.000Z', changes };
      const rest = { disturbances: [], part: 0, last: true, resume: {} };
      await handBack(translator.part({ ...transaction, ...rest }, { parked: {}, domains: {} }).events);
      if (table === 'claps') expect(new Set((await counters('back')).map(([, count]) => count))).toEqual(new Set([0]));
    }
    expect(await rowsIn('back')).toEqual(Object.fromEntries(TABLES.map(({ table }) => [table, []])));
  });
});
