import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CapturedTable, CapturedTables, Change, Disturbance, Value } from '../types.ts';
import type { ValueCase } from '../values/test-case.ts';
import { VALUE_CASES } from '../values/test-support.ts';
import { EXACT_CHARSETS, textDecoder } from '../values/text.ts';
import { type DebeziumOptions, openDebeziumSource } from './index.ts';
import { startTestStack, type TestStack } from './test-support.ts';

/** Stops the connector, or is refused when a reader starts: `check` names them. */
const REFUSED = /COMPRESSED|UUID|INET|gbk/;
/** Values of columns that can be carried otherwise: noticed when they come, and only then. */
const NOT_CARRIED = /'(?:0000|2026)-\d\d-00|818d8f909d|61EDA0BD/;

/** What Debezium, or Connect, would give otherwise under other settings. */
const OWN_CASES: ValueCase[] = [
  { type: 'INT DEFAULT 7', values: [['NULL', null]] },
  { type: "VARCHAR(9) DEFAULT 'x'", values: [['NULL', null]] },
  { type: "DATE DEFAULT '2026-01-01'", values: [['NULL', null]] },
  {
    type: "ENUM('back\\\\slash','com,ma','it''s','both\\\\,')",
    values: [
      ['1', 'back\\slash'],
      ['2', 'com,ma'],
      ['3', "it's"],
      ['4', 'both\\,'],
    ],
  },
  { type: "SET('back\\\\slash','it''s')", values: [['3', ['back\\slash', "it's"]]] },
  { type: 'INTEGER UNSIGNED', values: [['4294967295', 4294967295]] },
  { type: 'NUMERIC(9,3)', values: [['-0.001', '-0.001']] },
  { type: 'REAL', values: [['1e-7', 1e-7]] },
  { type: 'DOUBLE PRECISION', values: [['0.5', 0.5]] },
  { type: 'NATIONAL VARCHAR(9)', values: [["'\u00e9'", '\u00e9']] },
  { type: 'BIT', values: [["b'1'", 'AQ==']] },
];

const captured = ({ declared }: ValueCase): CapturedTable => ({
  key: ['id'],
  columns: ['id', 'v'],
  ...(declared && { types: { v: declared } }),
});

const create = ({ type, table }: { type: string; table: string }) =>
  `CREATE TABLE ${table} (id INT PRIMARY KEY, v ${type}, other INT DEFAULT 0)`;

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
}, 120_000);
afterAll(() => stack?.dispose());

async function session() {
  const opened = await stack.server.session();
  await opened.sql("SET SESSION sql_mode = '', time_zone = '+00:00'");
  return opened;
}

/** Everything that comes of `write`, up to the server's newest transaction. */
async function streamed(options: DebeziumOptions, write: () => Promise<void>) {
  await stack.apply(options);
  const source = openDebeziumSource(options);
  const changes: Change[] = [];
  const disturbances: Disturbance[] = [];
  let head: string | undefined;
  for await (const batch of source.read(undefined, new AbortController().signal)) {
    if (head === undefined) {
      await write();
      head = await source.head();
    }
    for (const transaction of batch) {
      changes.push(...transaction.changes);
      disturbances.push(...transaction.disturbances);
    }
    if ((batch.at(-1)?.position ?? '') >= head) break;
  }
  await source.close();
  return { changes, disturbances };
}

// A connector's first structures come from SHOW CREATE TABLE, later ones from statements as somebody wrote them.
describe.each(['snapshot', 'statement'])(
  'a stored value has the canonical form that the binlog and SELECT give, its structure from a %s',
  (from) => {
    const cases = [...VALUE_CASES, ...OWN_CASES]
      .filter(({ type }) => !REFUSED.test(type))
      .map((one, i) => ({
        ...one,
        table: `${from}${i}`,
        values: one.values.filter(([sql]) => !(NOT_CARRIED.test(sql) && !/TIMESTAMP/.test(one.type))),
      }))
      .filter(({ values }) => values.length > 0);
    let problems: Disturbance[] = [];
    const found = new Map<string, Record<'insert' | 'before' | 'after' | 'delete', Value[]>>();

    beforeAll(async () => {
      const sql = await session();
      for (const { type, table } of cases) {
        await sql.sql(create(from === 'snapshot' ? { type, table } : { type: 'TEXT', table }));
        found.set(table, { insert: [], before: [], after: [], delete: [] });
      }
      const tables: CapturedTables = Object.fromEntries(cases.map((one) => [one.table, captured(one)]));
      const { changes, disturbances } = await streamed(stack.options(from, tables), async () => {
        for (const { table, type, values } of cases) {
          if (from === 'statement') await sql.sql(`DROP TABLE ${table}`, create({ type, table }));
          const rows = values.map(([value], id) => `(${id + 1}, ${value})`);
          await sql.sql(
            `INSERT INTO ${table} (id, v) VALUES ${rows}`,
            `UPDATE ${table} SET other = 1`,
            `DELETE FROM ${table}`,
          );
        }
      });
      await sql.end();
      problems = disturbances.filter(({ kind }) => kind === 'columns' || kind === 'statement');
      for (const { table, kind, before, after } of changes) {
        const images = found.get(table);
        if (kind === 'insert') images?.insert.push(after?.['v'] as Value);
        if (kind === 'delete') images?.delete.push(before?.['v'] as Value);
        if (kind !== 'update') continue;
        images?.before.push(before?.['v'] as Value);
        images?.after.push(after?.['v'] as Value);
      }
    }, 120_000);

    it.each(cases.map((one) => ({ ...one, title: one.type.slice(0, 60) })))(
      'in every row image: $title',
      ({ table, values }) => {
        const expected = values.map(([, canonical]) => canonical);
        expect(found.get(table)).toEqual({ insert: expected, before: expected, after: expected, delete: expected });
      },
    );

    it('without a problem', () => expect(problems).toEqual([]));

    it('leaves out no type without naming it', () => {
      const left = VALUE_CASES.filter(({ type }) => REFUSED.test(type)).map(({ type }) => type);
      expect(left).toEqual([
        'VARCHAR(10) CHARACTER SET gbk',
        'VARCHAR(300) COMPRESSED',
        'TEXT COMPRESSED CHARACTER SET latin1',
        'VARBINARY(300) COMPRESSED',
        'BLOB COMPRESSED',
        'UUID',
        'INET4',
        'INET6',
      ]);
    });
  },
);

it('every code of a charset is decoded as the server converts it, or it is said that it is not', async () => {
  const sql = await session();
  const charsets = EXACT_CHARSETS.filter((charset) => charset !== 'gbk');
  for (const charset of charsets)
    await sql.sql(`CREATE TABLE ${charset} (id INT PRIMARY KEY, v TEXT CHARACTER SET ${charset})`);
  const tables = Object.fromEntries(charsets.map((charset) => [charset, { key: ['id'], columns: ['id', 'v'] }]));
  const { changes, disturbances } = await streamed(stack.options('charsets', tables), async () => {
    for (const charset of charsets) {
      const rows = Array.from(
        { length: 255 },
        (_, i) => `(${i + 1}, CONVERT(X'${Buffer.from([i + 1]).toString('hex')}' USING ${charset}))`,
      );
      await sql.sql(`INSERT IGNORE INTO ${charset} VALUES ${rows}`);
    }
  });
  await sql.end();
  const told = new Set(disturbances.flatMap((disturbance) => disturbance.tables));
  expect(changes.length).toBe(charsets.length * 255);
  for (const { table, key, after } of changes) {
    const bytes = Buffer.from([Number(key[0])]);
    const text = String(after?.['v']);
    if (text.includes('\ufffd')) expect(told).toContain(table);
    else if (text !== '?')
      expect({ table, key, text }).toEqual({ table, key, text: textDecoder(table)?.(bytes, 0, 1) });
  }
});

describe('what Debezium cannot carry', () => {
  it.each([
    ['VARCHAR(300) COMPRESSED', undefined, /`v` is COMPRESSED/],
    ['UUID', 'uuid', /`v` is uuid/],
    ['INET4', 'inet4', /`v` is inet4/],
    ['INET6', 'inet6', /`v` is inet6/],
    ['VARCHAR(9) CHARACTER SET gbk', undefined, /`v` is in charset gbk/],
  ] as const)('is refused by name: %s', async (type, declared, found) => {
    const sql = await session();
    await sql.sql(
      `CREATE OR REPLACE TABLE refused (id INT PRIMARY KEY, v ${type}, INDEX (v(1)))`.replace(/, INDEX.*\)$/, ')'),
    );
    await sql.end();
    const options = stack.options('refused', {
      refused: { key: ['id'], columns: ['v'], ...(declared && { types: { v: declared } }) },
    });
    const source = openDebeziumSource(options);
    const findings = (await source.check()).filter(({ check }) => check === 'column');
    await source.close();
    expect(findings).toMatchObject([{ level: 'error', table: 'refused', found: expect.stringMatching(found) }]);
  });

  it('is refused when a reader starts', async () => {
    const sql = await session();
    await sql.sql('CREATE OR REPLACE TABLE started (id INT PRIMARY KEY, v VARCHAR(9) CHARACTER SET gbk)');
    await sql.end();
    const options = stack.options('started', { started: { key: ['id'], columns: ['v'] } });
    await expect(streamed(options, async () => undefined)).rejects.toMatchObject({
      code: 'BNY-CDC-UNSUPPORTED-COLUMN',
    });
  });

  it('zero dates are refused where they are, warned of where they may come', async () => {
    const sql = await session();
    await sql.sql('CREATE TABLE dated (id INT PRIMARY KEY, d DATE, t DATETIME NOT NULL, s TIMESTAMP NULL)');
    const options = stack.options('dated', { dated: { key: ['id'], columns: ['d', 't', 's'] } });
    const source = openDebeziumSource(options);
    const levels = async () =>
      (await source.check())
        .filter(({ check }) => check === 'column')
        .map(({ level, found }) => `${level} ${/`(\w)` is/.exec(found)?.[1]}`);
    expect(await levels()).toEqual(['warning d', 'warning t']);
    await sql.sql("INSERT INTO dated VALUES (1, '2026-01-00', '0000-00-00', '0000-00-00')");
    expect(await levels()).toEqual(['error d', 'error t']);
    await sql.sql('DELETE FROM dated', "SET GLOBAL sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE'");
    expect(await levels()).toEqual([]);
    await sql.sql('SET GLOBAL sql_mode = DEFAULT');
    await sql.end();
    await source.close();
  });

  it('a BOOL that a statement made is named when its rows come', async () => {
    const sql = await session();
    await sql.sql('CREATE TABLE flagged (id INT PRIMARY KEY, v BOOL)');
    const options = stack.options('flagged', { flagged: { key: ['id'], columns: ['v'] } });
    const { changes, disturbances } = await streamed(options, () =>
      sql.sql(
        'INSERT INTO flagged VALUES (1, -1)',
        'ALTER TABLE flagged MODIFY v BOOL NOT NULL',
        'INSERT INTO flagged VALUES (2, -1)',
      ),
    );
    await sql.end();
    expect(changes[0]?.after).toEqual({ id: 1, v: -1 });
    expect(disturbances).toContainEqual(
      expect.objectContaining({
        kind: 'columns',
        tables: ['flagged'],
        statement: expect.stringContaining('TINYINT(1)'),
      }),
    );
  });
});
