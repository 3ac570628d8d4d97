import type { Connection } from 'mysql2/promise';
import { variables } from '../binlog/server.ts';
import { query } from '../connection.ts';
import { describeTable, type TableDescription } from '../values/describe.ts';
import { quoteName } from '../values/select.ts';
import { read, type StoredOwnership } from './row.ts';
import { createSql, type Fence, isFence, isOf, type Trigger, triggersOf } from './triggers.ts';

/** The server as it is now, as far as a fence is concerned. */
export interface Inspection {
  row: StoredOwnership | undefined;
  /** The triggers of this fence, wherever they stand by now. */
  ours: Standing[];
  /** Where what stands is not what is wanted. */
  differences: Difference[];
  /** By the names that the domain gives them; undefined where there is no such table. */
  tables: ReadonlyMap<string, TableDescription | undefined>;
  variables: ReadonlyMap<string, string>;
  /** Names of tables, as this server compares them. */
  fold(name: string): string;
}

export interface Standing extends Trigger {
  timing: string;
  definer: string;
  sqlMode: string;
  order: number;
}

export interface Difference {
  table: string;
  found: string;
  /** What puts it right. */
  sql: string[];
}

export async function inspect(connection: Connection, fence: Fence): Promise<Inspection> {
  const all = await variables(connection);
  const ignoreCase = all.get('lower_case_table_names') !== '0';
  const fold = ignoreCase ? (name: string) => name.toLowerCase() : (name: string) => name;
  const standing = await standingTriggers(connection, fence.schema);
  const tables = new Map<string, TableDescription | undefined>();
  for (const table of Object.keys(fence.tables))
    tables.set(table, await describeTable(connection, fence.schema, table));
  const wanted = [...tables.values()].flatMap((table) => (table ? wantedOn(fence, table) : []));
  const isWanted = (trigger: Standing) => wanted.some(({ name }) => name === trigger.name);
  const ours = standing.filter((trigger) => isWanted(trigger) || isOf(fence, trigger));
  return {
    row: await read(connection, fence.domain, fence.banyanSchema),
    ours,
    differences: [
      ...wanted.flatMap((trigger) => differences(fence, trigger, standing, fold)),
      ...ours
        .filter((trigger) => !isWanted(trigger))
        .map(({ name, table }) => ({
          table,
          found: `${quoteName(name)} on ${quoteName(table)}, which is not the domain's`,
          sql: [dropSql(fence, name)],
        })),
    ],
    tables,
    variables: all,
    fold,
  };
}

/** Needs TRIGGER on the tables: of others nothing is shown. */
async function standingTriggers(connection: Connection, schema: string): Promise<Standing[]> {
  const sql = `SELECT TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS \`table\`, EVENT_MANIPULATION AS event, ACTION_TIMING AS timing,
      ACTION_STATEMENT AS body, DEFINER AS definer, SQL_MODE AS sqlMode, ACTION_ORDER AS \`order\`
    FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?`;
  const rows = await query(connection, { sql, rowsAsArray: false }, [schema]);
  return rows.map((row) => ({ ...row, order: Number(row['order']) }) as Standing);
}

/** The tables that one of the monolith's schema's fences stands on. */
export async function fencedTables(connection: Connection, schema: string): Promise<string[]> {
  const ours = (await standingTriggers(connection, schema)).filter(isFence);
  return [...new Set(ours.map(({ table }) => table))];
}

export function dropSql({ schema }: Fence, name: string): string {
  return `DROP TRIGGER IF EXISTS ${quoteName(schema)}.${quoteName(name)}`;
}

function wantedOn(fence: Fence, { name, columns }: TableDescription): Trigger[] {
  const stored = columns.filter(({ generated }) => !generated).map((column) => column.name);
  return triggersOf(fence, name, stored);
}

function differences(
  fence: Fence,
  wanted: Trigger,
  standing: readonly Standing[],
  fold: Inspection['fold'],
): Difference[] {
  const { name, table, event } = wanted;
  const create = createSql(fence, wanted);
  const stands = standing.find((trigger) => trigger.name === name);
  const differs = (found: string, ...before: string[]) => [{ table, found, sql: [...before, create] }];
  if (!stands) return differs(`no ${quoteName(name)}`);
  if (fold(stands.table) !== fold(table)) {
    const found = `${quoteName(name)} stands on ${quoteName(stands.table)}, as after a RENAME`;
    return differs(found, dropSql(fence, name));
  }
  if (stands.definer !== `${fence.user}@%`)
    return differs(`${quoteName(name)} runs as ${stands.definer}, not as ${fence.user}@%`);
  if (!isAsWanted(stands, wanted)) return differs(`${quoteName(name)} is not as it was made, or should be by now`);
  const later = standing.find(
    (other) => fold(other.table) === fold(table) && other.event === event && isAfter(other, stands),
  );
  if (later && event === 'UPDATE' && fence.tables[table]?.derived)
    return differs(`${quoteName(name)} runs before ${quoteName(later.name)}, which may change more than it sees`);
  return [];
}

function isAsWanted(stands: Standing, wanted: Trigger): boolean {
  return (
    stands.timing === 'BEFORE' &&
    stands.event === wanted.event &&
    stands.sqlMode === '' &&
    withoutSpaces(stands.body) === withoutSpaces(wanted.body)
  );
}

/** A client through which a DBA has run it may have laid it out anew. */
function withoutSpaces(body: string): string {
  return body.replace(/\s+/g, ' ').trim();
}

function isAfter(other: Standing, { timing, order }: Standing): boolean {
  return other.timing === timing && other.order > order;
}
