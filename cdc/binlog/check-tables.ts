import type { Connection } from 'mysql2/promise';
import { query } from '../connection.ts';
import type { CapturedTable, Finding } from '../types.ts';
import { type ColumnDescription, describeTable, type TableDescription } from '../values/describe.ts';
import { isKeyType } from '../values/key-literal.ts';
import { quoteName } from '../values/select.ts';
import { refusal, rowColumns, undeclaredJson } from '../values/supported.ts';
import { missingGrant } from './check-server.ts';
import { accountOf, isDenied } from './server.ts';

export async function checkTable(
  connection: Connection,
  schema: string,
  table: string,
  captured: CapturedTable,
): Promise<Finding[]> {
  const name = `${quoteName(schema)}.${quoteName(table)}`;
  const found: Found = (check, facts) => ({ check, level: 'error', table, ...facts, found: `${name}: ${facts.found}` });
  const denied = await query(connection, `SELECT 1 FROM ${name} LIMIT 0`).then(
    () => false,
    (error) => isDenied(error),
  );
  if (denied) return [{ ...missingGrant('SELECT', name, await accountOf(connection)), table }];
  const description = await describeTable(connection, schema, table);
  if (!description) {
    const cure = 'Correct its name in the domain, or create it.';
    return [found('table', { found: 'no such table', needed: 'every captured table', cure })];
  }
  return [
    ...checkDefinition(name, description, captured, found),
    ...checkColumns(description, captured, found),
    ...(await checkForeignKeys(connection, name, found)).map((finding) => ({ ...finding, unseen: true as const })),
  ];
}

type Found = (check: string, facts: Pick<Finding, 'found' | 'needed' | 'cure'>) => Finding;

function checkDefinition(name: string, table: TableDescription, captured: CapturedTable, found: Found): Finding[] {
  const findings: Finding[] = [];
  if (table.kind !== 'BASE TABLE') {
    const cure = 'Take it out of the domain: its rows do not stand in the binlog as they are.';
    findings.push(found('table', { found: table.kind.toLowerCase(), needed: 'a base table', cure }));
  } else if (table.engine !== 'InnoDB') {
    const cure = `ALTER TABLE ${name} ENGINE = InnoDB;`;
    findings.push(found('engine', { found: `engine ${table.engine}`, needed: 'InnoDB', cure }));
  }
  if (table.key.join() !== captured.key.join()) {
    const [is, declared] = [table.key, captured.key].map((columns) => columns.join(', '));
    const cure = is ? `Declare key: [${table.key.map((column) => `'${column}'`)}].` : 'Give the table a primary key.';
    findings.push(found('key', { found: `primary key (${is})`, needed: `primary key (${declared})`, cure }));
  }
  for (const column of table.columns) {
    if (!table.key.includes(column.name) || isKeyType(column)) continue;
    const cure = 'Give the table another primary key.';
    findings.push(
      found('key', { found: `${column.type} in the primary key`, needed: 'a type that compares exactly', cure }),
    );
  }
  return findings;
}

function checkColumns(table: TableDescription, captured: CapturedTable, found: Found): Finding[] {
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  const { key, columns: declared, derived = [], excluded = [], types = {} } = captured;
  const missing = [...new Set([...key, ...declared, ...derived, ...excluded, ...Object.keys(types)])]
    .filter((name) => !columns.has(name))
    .map((name) => {
      const cure = 'Correct the domain, or grant SELECT on the whole table.';
      return found('column', { found: `no column \`${name}\``, needed: 'every declared column', cure });
    });
  const carried = new Set(rowColumns(captured));
  const refused = table.columns.flatMap((column: ColumnDescription) => {
    // A column of an old format has an unknown width: it hides the ones behind it, whether it is declared or not.
    if (!carried.has(column.name) && !column.oldTemporal) return [];
    const reason = refusal(column, types[column.name]) ?? undeclaredJson(column, types[column.name]);
    if (!reason) return [];
    const { cure = 'Exclude it, or change its type in the monolith.' } = reason;
    return [found('column', { found: reason.found, needed: 'a type that is carried without loss', cure })];
  });
  return [...missing, ...refused];
}

/** Read from the table's own definition: `information_schema` shows foreign keys only to those who may do more than read. */
async function checkForeignKeys(connection: Connection, name: string, found: Found): Promise<Finding[]> {
  const [row] = await query(connection, `SHOW CREATE TABLE ${name}`);
  const lines = String(row?.['Create Table'] ?? '').split('\n');
  return lines.flatMap((line) => {
    const [, key] = /^\s*CONSTRAINT `((?:[^`]|``)+)` FOREIGN KEY/.exec(line) ?? [];
    const actions = line.match(/ ON (?:DELETE|UPDATE) (?:CASCADE|SET NULL|SET DEFAULT)/g);
    if (key === undefined || !actions) return [];
    const needed = 'rows that are changed by statements only: what a foreign key changes stands in no binlog';
    const cure = `ALTER TABLE ${name} DROP FOREIGN KEY \`${key}\`, and add it again with RESTRICT; let the monolith delete these rows itself.`;
    return [found('foreign_key', { found: `\`${key}\`${actions.join('')}`, needed, cure })];
  });
}
