import type { Connection } from 'mysql2/promise';
import { MAX_APPEND_BYTES } from '../../log/types.ts';
import { query } from '../connection.ts';
import type { CapturedTable, Finding } from '../types.ts';
import type { ColumnDescription, TableDescription } from '../values/describe.ts';
import { quoteName } from '../values/select.ts';
import { rowColumns } from '../values/supported.ts';
import { MAX_RECORD_BYTES } from './config.ts';
import { decoderOf } from './decode.ts';

/** Their statements, or their rows, stop the connector, whether they are captured or not. */
const FATAL = ['inet4', 'inet6'];
const STATEMENT_TIMEOUT = 1969;
/** Types that hold more than passes; the others do not come near it. */
const HUGE: ReadonlySet<string> = new Set(['mediumtext', 'longtext', 'mediumblob', 'longblob']);

/** Columns whose values Debezium does not carry without loss, by name. */
export async function checkColumns(
  connection: Connection,
  table: TableDescription,
  captured: CapturedTable,
  sqlMode: readonly string[],
): Promise<Finding[]> {
  const carried = new Set(rowColumns(captured));
  const findings: Finding[] = [];
  for (const column of table.columns) {
    if (HUGE.has(column.type) && !captured.excluded?.includes(column.name)) {
      findings.push(await sizeFinding(connection, table, column));
    }
    const refused = refusal(column, captured, carried.has(column.name));
    if (refused !== undefined) findings.push(columnFinding(table, column, 'error', refused));
    else if (carried.has(column.name) && ['date', 'datetime'].includes(column.type)) {
      findings.push(...(await checkZeroDates(connection, table, column, sqlMode)));
    }
  }
  return findings;
}

function refusal(column: ColumnDescription, captured: CapturedTable, carried: boolean): string | undefined {
  const { name, type, definition } = column;
  if (FATAL.includes(type)) return `${type}: Debezium cannot read the table's definition`;
  if (/COMPRESSED/.test(definition)) return 'COMPRESSED: Debezium cannot read its rows';
  if (!carried) return undefined;
  const decoder = decoderOf(
    {
      name,
      type: `${type}${column.unsigned ? ' unsigned' : ''}`,
      charset: column.charset ?? null,
      length: column.fsp,
      scale: 0,
      optional: true,
      labels: column.labels?.map((label) => `'${label.replaceAll("'", "''")}'`) ?? null,
    },
    captured.types?.[name],
  );
  return typeof decoder === 'string' ? decoder : undefined;
}

function columnFinding(
  { schema, name }: TableDescription,
  column: ColumnDescription,
  level: Finding['level'],
  found: string,
): Finding {
  return {
    check: 'column',
    level,
    table: name,
    found: `${quoteName(schema)}.${quoteName(name)}: \`${column.name}\` is ${found}`,
    needed: 'values that Debezium carries without loss',
    cure: 'Exclude it, change its type in the monolith, or read the binlog itself (`source` in banyan.config.ts).',
  };
}

/** Captured or not: the connector sends every column that is not excluded. */
async function sizeFinding(
  connection: Connection,
  table: TableDescription,
  column: ColumnDescription,
): Promise<Finding> {
  const from = `${quoteName(table.schema)}.${quoteName(table.name)}`;
  const [row] =
    (await briefly(connection, `SELECT MAX(OCTET_LENGTH(${quoteName(column.name)})) AS largest FROM ${from}`)) ?? [];
  const now =
    row?.['largest'] === undefined ? 'more rows than can be measured' : `at most ${row['largest'] ?? 0} bytes now`;
  return {
    ...columnFinding(table, column, 'warning', `${column.type}, which can hold more than passes; ${now}`),
    check: 'column size',
    needed: `rows of at most ${MAX_APPEND_BYTES / 1e6} MB, or their domain is parked; with a row before and after of more than ${MAX_RECORD_BYTES / 1e6} MB the connector stops`,
    cure: 'Exclude it, change its type in the monolith, or see to it that the monolith writes no such values.',
  };
}

/** Looking may mean to read the whole table: not longer than a moment. Undefined when that was too short. */
async function briefly(connection: Connection, select: string) {
  const sql = `SET STATEMENT max_statement_time = 2, sql_mode = '' FOR ${select}`;
  return query(connection, sql).catch((error: { errno?: number }) => {
    if (error.errno === STATEMENT_TIMEOUT) return undefined;
    throw error;
  });
}

/**
 * Of `0000-00-00` and `2026-01-00` Debezium makes NULL, and in a NOT NULL column the column's default or 1970-01-01: none
 * of which looks wrong. So none may be there, and the server should let none in. (A zero TIMESTAMP comes as 1970, which
 * no TIMESTAMP can hold: that is understood.)
 */
async function checkZeroDates(
  connection: Connection,
  table: TableDescription,
  column: ColumnDescription,
  sqlMode: readonly string[],
): Promise<Finding[]> {
  const name = quoteName(column.name);
  const from = `${quoteName(table.schema)}.${quoteName(table.name)}`;
  const zero = `${name} IS NOT NULL AND (MONTH(${name}) = 0 OR DAY(${name}) = 0)`;
  const found = await briefly(connection, `SELECT 1 AS zero FROM ${from} WHERE ${zero} LIMIT 1`);
  const none = column.nullable ? 'NULL' : "'1970-01-01'";
  const choice = column.nullable ? '' : ' (it takes no NULL: or any date that the monolith takes for none)';
  const cure = `UPDATE ${from} SET ${name} = ${none} WHERE ${zero};${choice} and let none in: SET GLOBAL sql_mode = CONCAT(@@GLOBAL.sql_mode, ',NO_ZERO_DATE,NO_ZERO_IN_DATE').`;
  if (found && found.length > 0) {
    return [{ ...columnFinding(table, column, 'error', `${column.type} and holds zero dates`), cure }];
  }
  const refusesThem = ['NO_ZERO_DATE', 'NO_ZERO_IN_DATE'].every((mode) => sqlMode.includes(mode));
  if (refusesThem) return [];
  const may = `${column.type} and may ${found ? '' : 'hold or '}get zero dates, which would look like NULL or 1970`;
  return [{ ...columnFinding(table, column, 'warning', may), cure }];
}
