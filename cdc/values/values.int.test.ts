import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mysql, { type RowDataPacket } from 'mysql2/promise';
import { type Mariadb, startMariadb } from '../../scripts/lib/mariadb.ts';
import { openBinlogSource } from '../binlog/index.ts';
import type { CapturedTable, CapturedTables, Change, Row, Value } from '../types.ts';
import { describeTable, type TableDescription } from './describe.ts';
import { keyLiteral } from './key-literal.ts';
import { compileSelect, SELECT_OPTIONS, SELECT_SESSION } from './select.ts';
import type { ValueCase } from './test-case.ts';
import { VALUE_CASES } from './test-support.ts';
import { EXACT_CHARSETS, textDecoder } from './text.ts';

let server: Mariadb;
let connection: mysql.Connection;

beforeAll(async () => {
  server = await startMariadb();
  connection = await mysql.createConnection({ ...account(), ...SELECT_OPTIONS });
  await connection.query(SELECT_SESSION);
  await connection.query('CREATE DATABASE shop');
  await connection.query('USE shop');
});

afterAll(async () => {
  await connection.end();
  await server.stop();
});

function account() {
  const { host, port, user, password } = server;
  return { host, port, user, password };
}

async function query<T = Value[]>(sql: string): Promise<T[]> {
  const [rows] = await connection.query(sql);
  return rows as T[];
}

async function describeOrFail(table: string): Promise<TableDescription> {
  const description = await describeTable(connection, 'shop', table);
  if (!description) throw new Error(`no table ${table}`);
  return description;
}

const table = (i: number) => `c${i}`;
const captured = ({ declared }: ValueCase): CapturedTable => ({
  key: ['id'],
  columns: ['id', 'v'],
  ...(declared && { types: { v: declared } }),
});

describe('a stored value has one canonical form', () => {
  /** By table: what each row image of an INSERT, an UPDATE and a DELETE held, and what SELECT gave. */
  const found = new Map<
    string,
    { insert: Value[]; before: Value[]; after: Value[]; delete: Value[]; select: Value[] }
  >();

  beforeAll(async () => {
    for (const [i, { type }] of VALUE_CASES.entries()) {
      await query(`CREATE TABLE ${table(i)} (id INT PRIMARY KEY, v ${type}, other INT DEFAULT 0)`);
    }
    const tables: CapturedTables = Object.fromEntries(VALUE_CASES.map((one, i) => [table(i), captured(one)]));
    const source = openBinlogSource({ connection: account(), schema: 'shop', tables });
    let missing = VALUE_CASES.reduce((sum, { values }) => sum + 3 * values.length, 0);
    for await (const batch of source.read(undefined, new AbortController().signal)) {
      if (found.size === 0) for (const [i, one] of VALUE_CASES.entries()) await passThrough(table(i), one);
      for (const { changes, disturbances } of batch) {
        expect(disturbances).toEqual([]);
        for (const change of changes) collect(change);
        missing -= changes.length;
      }
      if (missing <= 0) break;
    }
    await source.close();
  });

  async function passThrough(name: string, one: ValueCase): Promise<void> {
    const rows = one.values.map(([sql], id) => `(${id + 1}, ${sql})`);
    await query(`INSERT INTO ${name} (id, v) VALUES ${rows.join(', ')}`);
    await query(`UPDATE ${name} SET other = 1`);
    const select = compileSelect(await describeOrFail(name), captured(one));
    const selected = (await query(`SELECT ${select.list} FROM ${name} ORDER BY id`)).map((row) => select.row(row));
    found.set(name, { insert: [], before: [], after: [], delete: [], select: selected.map(({ v }) => v as Value) });
    await query(`DELETE FROM ${name}`);
  }

  function collect({ table: name, kind, before, after }: Change): void {
    const images = found.get(name);
    if (kind === 'insert') images?.insert.push(after?.['v'] as Value);
    if (kind === 'delete') images?.delete.push(before?.['v'] as Value);
    if (kind !== 'update') return;
    images?.before.push(before?.['v'] as Value);
    images?.after.push(after?.['v'] as Value);
  }

  const titled = VALUE_CASES.map((one, i) => ({ ...one, i, title: one.type.slice(0, 60) }));
  it.each(titled)('from every row image, by SELECT and as JSON: $title', async (one) => {
    const expected = one.values.map(([, canonical]) => canonical);
    const images = { insert: expected, before: expected, after: expected, delete: expected };
    expect(found.get(table(one.i))).toEqual({ ...images, select: expected });
    expect(JSON.parse(JSON.stringify(expected))).toEqual(expected);
  });

  it('when all types stand side by side in one table', async () => {
    const sides = VALUE_CASES.filter(({ type }) => !type.includes('AS ('));
    const columns = sides.map(({ type }, i) => `v${i} ${type}`);
    await query(`CREATE TABLE wide (id INT PRIMARY KEY, p POINT, ${columns.join(', ')})`);
    const names = sides.map((_, i) => `v${i}`);
    const types = Object.fromEntries(sides.flatMap(({ declared }, i) => (declared ? [[`v${i}`, declared]] : [])));
    const wide: CapturedTable = { key: ['id'], columns: names, types };
    const source = openBinlogSource({ connection: account(), schema: 'shop', tables: { wide } });
    const rows: Row[] = [];
    const values = sides.map((one) => one.values.find(([, canonical]) => canonical !== null)?.[0] ?? 'NULL');
    for await (const batch of source.read(undefined, new AbortController().signal)) {
      await query(`INSERT IGNORE INTO wide (id, ${names}) VALUES (1, ${values.join(', ')})`);
      for (const { changes } of batch) for (const { after } of changes) if (after) rows.push(after);
      if (rows.length > 0) break;
    }
    await source.close();
    const expected = sides.map((one) => one.values.find(([, canonical]) => canonical !== null)?.[1] ?? null);
    expect(rows).toEqual([{ id: 1, ...Object.fromEntries(expected.map((value, i) => [`v${i}`, value])) }]);
  });

  it.each(EXACT_CHARSETS)('every code of %s decodes as the server converts it', async (charset) => {
    const decode = textDecoder(charset);
    const singles = Array.from({ length: 255 }, (_, i) => [i + 1]);
    const doubles = singles.slice(0x7f).flatMap(([lead]) => singles.slice(0x1f).map(([trail]) => [lead, trail]));
    const codes = (charset === 'gbk' ? [...singles, ...doubles] : singles).map((code) => Buffer.from(code as number[]));
    for (let at = 0; at < codes.length; at += 2000) {
      const some = codes.slice(at, at + 2000);
      const list = some.map((code) => `CONVERT(CONVERT(X'${code.toString('hex')}' USING ${charset}) USING utf8mb4)`);
      const [row] = await query<(string | null)[]>(`SELECT ${list.join()}`);
      for (const [i, text] of (row ?? []).entries()) {
        const code = some[i] as Buffer;
        // What the charset does not define cannot be stored in a column of it.
        const stored = text !== null && (!text.includes('?') || code[0] === 0x3f);
        if (stored && decode?.(code, 0, code.length) !== text) throw new Error(`${charset} ${code.toString('hex')}`);
      }
    }
  });
});

describe('what cannot be carried is refused by name', () => {
  const refused: { type: string; declared?: 'json' | 'uuid' | 'inet6'; found: RegExp; cure?: RegExp }[] = [
    { type: 'POINT', found: /`v` is point/ },
    { type: 'GEOMETRY', found: /`v` is geometry/ },
    { type: 'VARCHAR(9) CHARACTER SET sjis', found: /charset sjis/ },
    { type: "ENUM('a') CHARACTER SET big5", found: /charset big5/ },
    { type: 'UUID', found: /uuid, declared nothing/, cure: /types: \{ v: 'uuid' \}/ },
    { type: 'INET6', declared: 'uuid', found: /inet6, declared uuid/, cure: /'inet6'/ },
    { type: 'BINARY(16)', declared: 'uuid', found: /binary, declared uuid/, cure: /Take v out/ },
    { type: 'INT', declared: 'json', found: /int, declared json/ },
    { type: "ENUM('1')", declared: 'json', found: /enum, declared json/ },
  ];

  it.each(refused)('$type declared $declared', async ({ type, declared, found, cure }) => {
    await query(`CREATE OR REPLACE TABLE refused (id INT PRIMARY KEY, v ${type})`);
    const types = declared && { types: { v: declared } };
    const compile = (description: TableDescription) =>
      compileSelect(description, { key: ['id'], columns: ['v'], ...types });
    const description = await describeOrFail('refused');
    expect(() => compile(description)).toThrow(
      expect.objectContaining({ code: 'BNY-CDC-UNSUPPORTED-COLUMN', found: expect.stringMatching(found) }),
    );
    if (cure)
      expect(() => compile(description)).toThrow(expect.objectContaining({ cure: expect.stringMatching(cure) }));
  });

  it('temporal columns in the old format', async () => {
    await query('SET GLOBAL mysql56_temporal_format = OFF');
    await query('CREATE TABLE old (id INT PRIMARY KEY, d DATETIME(3), t TIME, s TIMESTAMP)');
    await query('SET GLOBAL mysql56_temporal_format = ON');
    const description = await describeOrFail('old');
    for (const name of ['d', 't', 's']) {
      expect(() => compileSelect(description, { key: ['id'], columns: [name] })).toThrow(/old format/);
    }
  });

  it('a declared column that is not there', async () => {
    await query('CREATE TABLE narrow (id INT PRIMARY KEY)');
    const description = await describeOrFail('narrow');
    expect(() => compileSelect(description, { key: ['id'], columns: ['gone'] })).toThrow(/no column `gone`/);
    expect(await describeTable(connection, 'shop', 'nowhere')).toBeUndefined();
  });
});

describe('a row has the declared columns and no others', () => {
  it('the key among them, the derived and excluded ones left out', async () => {
    await query('CREATE TABLE picked (b INT, a INT, secret INT, total INT, other INT, PRIMARY KEY (a, b))');
    await query('INSERT INTO picked VALUES (1, 2, 3, 4, 5)');
    const declared = { key: ['a', 'b'], columns: ['secret', 'total'], derived: ['total'], excluded: ['secret'] };
    const select = compileSelect(await describeOrFail('picked'), declared);
    const [values = []] = await query(`SELECT ${select.list} FROM picked`);
    expect(select.row(values)).toEqual({ a: 2, b: 1 });
    expect(select.key(select.row(values))).toEqual([2, 1]);
  });
});

describe('a key value as a literal', () => {
  const KEYS =
    /^(TINYINT|SMALLINT|MEDIUMINT|INT|BIGINT|DECIMAL|DATE|TIME|YEAR|CHAR|VARCHAR|BINARY|VARBINARY|UUID|INET)/;
  const NO_KEYS = /COMPRESSED|INVISIBLE|AS \(/;
  const cases = VALUE_CASES.filter(
    ({ type, declared, values }) =>
      KEYS.test(type) && !NO_KEYS.test(type) && declared !== 'json' && !JSON.stringify(values).includes('\ufffd'),
  );

  it.each(cases)('stands for exactly its row, and the rest come before or after it: $type', async (one) => {
    await query(`CREATE OR REPLACE TABLE keyed (v ${one.type.replace('NULL', 'NOT NULL')} PRIMARY KEY)`);
    const values = one.values.filter(([sql]) => sql !== 'NULL').map(([sql]) => `(${sql})`);
    await query(`INSERT IGNORE INTO keyed VALUES ${values.join()}`);
    const description = await describeOrFail('keyed');
    const [column] = description.columns;
    if (!column) throw new Error('no column');
    const select = compileSelect(description, {
      key: ['v'],
      columns: ['v'],
      ...(one.declared && { types: { v: one.declared } }),
    });
    const rows = (await query(`SELECT ${select.list} FROM keyed ORDER BY v`)).map((row) => select.row(row));
    for (const [i, row] of rows.entries()) {
      const literal = keyLiteral(column, row['v'] as Value);
      const [counts] = await query(
        `SELECT COUNT(IF(v = ${literal}, 1, NULL)), COUNT(IF(v > ${literal}, 1, NULL)) FROM keyed`,
      );
      expect(counts?.map(Number)).toEqual([1, rows.length - 1 - i]);
      const [plan] = await query<RowDataPacket>(
        `EXPLAIN SELECT v FROM keyed FORCE INDEX (PRIMARY) WHERE v = ${literal}`,
      );
      expect(Object.values(plan ?? {})).toContain('const');
    }
  });

  it.each(['FLOAT', 'DOUBLE', "ENUM('a')", "SET('a')", 'BIT(4)'])('is refused for %s', async (type) => {
    await query(`CREATE OR REPLACE TABLE keyed (v ${type} PRIMARY KEY)`);
    const [column] = (await describeOrFail('keyed')).columns;
    if (!column) throw new Error('no column');
    expect(() => keyLiteral(column, 1)).toThrow(expect.objectContaining({ code: 'BNY-CDC-UNSUPPORTED-COLUMN' }));
  });
});
