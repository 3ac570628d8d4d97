import { expect, it } from '@jest/globals';
import { startTestServer } from '../binlog/test-support.ts';
import { connect } from '../connection.ts';
import { describeTable, type TableDescription } from '../values/describe.ts';
import { checkColumns } from './check-columns.ts';

it('the cure for zero dates can be run, also where a column takes no NULL', async () => {
  const server = await startTestServer();
  const session = await server.session();
  await session.sql(
    'CREATE TABLE dated (id INT PRIMARY KEY, d DATE, n DATE NOT NULL, t DATETIME NOT NULL)',
    "SET sql_mode = ''",
    "INSERT INTO dated VALUES (1, 0, 0, 0), (2, '2026-01-00', '2026-01-00', '2026-01-00 10:00')",
    "SET sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE'",
  );
  const connection = await connect(server.connection);
  const table = (await describeTable(connection, 'shop', 'dated')) as TableDescription;
  const check = () => checkColumns(connection, table, { key: ['id'], columns: ['id', 'd', 'n', 't'] }, []);
  const errors = (await check()).filter(({ level }) => level === 'error');
  expect(errors.map(({ found }) => found)).toEqual(['`d`', '`n`', '`t`'].map((name) => expect.stringContaining(name)));
  for (const { cure } of errors) await session.sql(cure.split(';')[0] ?? '');
  expect((await check()).map(({ level }) => level)).toEqual(['warning', 'warning', 'warning']);
  connection.destroy();
  await session.end();
  await server.dispose();
}, 60_000);
