import { afterAll, beforeAll, expect, it } from '@jest/globals';
import mysql, { type RowDataPacket } from 'mysql2/promise';
import type { CapturedTable, Value } from '../../cdc/index.ts';
import { describeTable, type TableDescription } from '../../cdc/values/describe.ts';
import { compileSelect, SELECT_OPTIONS } from '../../cdc/values/select.ts';
import { VALUE_CASES } from '../../cdc/values/test-support.ts';
import { type Mariadb, startMariadb } from '../../scripts/lib/mariadb.ts';
import { columnValue } from './column-value.ts';

let server: Mariadb;
let connection: mysql.Connection;

beforeAll(async () => {
  server = await startMariadb();
  const { host, port, user, password } = server;
  connection = await mysql.createConnection({ host, port, user, password, ...SELECT_OPTIONS });
  // A value that does not fit is an error, and is not made to fit.
  await connection.query("SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES'");
  await connection.query('CREATE DATABASE shop');
  await connection.query('USE shop');
});

afterAll(async () => {
  await connection.end();
  await server.stop();
});

/** Neither what the server computes, nor text that it holds broken. */
const WRITABLE = VALUE_CASES.filter(({ type, values }) => !/ AS \(|\ufffd/.test(type + JSON.stringify(values)));

it.each(WRITABLE.map((each, i) => [each.type, i, each] as const))(
  '%s holds the canonical value that is bound',
  async (type, i, { declared, values }) => {
    const table = `c${i}`;
    await connection.query(`CREATE TABLE ${table} (id INT PRIMARY KEY, v ${type}) CHARSET utf8mb4`);
    const { columns } = (await describeTable(connection, 'shop', table)) as TableDescription;
    const column = columns.find(({ name }) => name === 'v') as (typeof columns)[number];
    for (const [id, [, value]] of values.entries())
      await connection.query(`INSERT INTO ${table} (id, v) VALUES (?, ?)`, [
        id,
        columnValue(column, value, declared === 'json'),
      ]);
    const captured: CapturedTable = { key: ['id'], columns: ['id', 'v'], ...(declared && { types: { v: declared } }) };
    const select = compileSelect((await describeTable(connection, 'shop', table)) as TableDescription, captured);
    const [rows] = await connection.query<RowDataPacket[]>(`SELECT ${select.list} FROM ${table} ORDER BY id`);
    const found = (rows as unknown as unknown[][]).map((row) => select.row(row)['v'] as Value);
    expect(found).toEqual(values.map(([, value]) => value));
  },
);
