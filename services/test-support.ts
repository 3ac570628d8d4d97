import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { Translator } from '../cdc/emitter/translate.ts';
import { describeTable, type TableDescription } from '../cdc/values/describe.ts';
import { compileSelect } from '../cdc/values/select.ts';
import type { LoggedEvent } from '../log/index.ts';
import { type Bound, columnValue } from './kit/column-value.ts';
import type { Domain, Expression, Row, RowChange } from './kit/index.ts';

// Only tests may import this file.

const WHERE = { position: '1', domains: {} };

/** Every row of a captured table as the ETL reads it. */
export async function capturedRows(connection: Connection, schema: string, { tables }: Domain, table: string) {
  const captured = tables[table] as Domain['tables'][string];
  const select = compileSelect((await describeTable(connection, schema, table)) as TableDescription, captured);
  const [rows] = await connection.query<RowDataPacket[]>(`SELECT ${select.list} FROM ${schema}.${table}`);
  return (rows as unknown as unknown[][]).map((values) => {
    const after = select.row(values);
    return { key: select.key(after), after };
  });
}

/** Every row of every captured table as the ETL reads it, through the captures. */
export async function seedEvents(
  connection: Connection,
  schema: string,
  domains: readonly Domain[],
): Promise<LoggedEvent[]> {
  const translator = new Translator(domains);
  const events: LoggedEvent[] = [];
  for (const domain of domains) {
    for (const table of Object.keys(domain.tables)) {
      for (const row of await capturedRows(connection, schema, domain, table)) {
        const change = { table, kind: 'seed' as const, ...row };
        for (const event of translator.seed(change, 'run', WHERE, '2026-01-01T00:00:00.000Z')) {
          const offset = events.length;
          events.push({ ...event, partition: 0, offset, sequence: offset });
        }
      }
    }
  }
  return events;
}

/** Makes a handback's changes in a schema of the monolith's server, one statement each. */
export class HandedBack {
  readonly #connection: Connection;
  readonly #schema: string;
  readonly #domains: readonly Domain[];
  readonly #described = new Map<string, TableDescription>();

  constructor(connection: Connection, schema: string, domains: readonly Domain[]) {
    this.#connection = connection;
    this.#schema = schema;
    this.#domains = domains;
  }

  async apply(changes: readonly RowChange[]): Promise<void> {
    for (const change of changes) await this.#apply(change, await this.#describe(change.table));
  }

  async #describe(table: string): Promise<TableDescription> {
    const known = this.#described.get(table) ?? (await describeTable(this.#connection, this.#schema, table));
    if (!known) throw new Error(`no table ${table}`);
    this.#described.set(table, known);
    return known;
  }

  async #apply(change: RowChange, table: TableDescription): Promise<void> {
    const name = `${this.#schema}.${table.name}`;
    const equals = (row: Row) => this.#terms(table, row);
    if ('put' in change) {
      const all = equals(change.put);
      await this.#run(`INSERT INTO ${name} SET ${all.sql} ON DUPLICATE KEY UPDATE ${all.sql}`, [
        ...all.values,
        ...all.values,
      ]);
    } else if ('delete' in change) {
      const key = equals(change.delete);
      await this.#run(`DELETE FROM ${name} WHERE ${key.sql.replaceAll(', ', ' AND ')}`, key.values);
    } else {
      const [set, where] = [this.#terms(table, change.derive.set), equals(change.derive.where)];
      await this.#run(`UPDATE ${name} SET ${set.sql} WHERE ${where.sql}`, [...set.values, ...where.values]);
    }
  }

  #terms(table: TableDescription, row: Readonly<Record<string, Row[string] | Expression>>) {
    const values: Bound[] = [];
    const sql = Object.entries(row).map(([name, value]) => {
      const column = table.columns.find((one) => one.name === name);
      if (!column) throw new Error(`no column ${table.name}.${name}`);
      if (typeof value === 'object' && value !== null && 'sql' in value) return `${name} = ${value['sql']}`;
      const isJson = this.#domains.some(({ tables }) => tables[table.name]?.types?.[name] === 'json');
      values.push(columnValue(column, value as Row[string], isJson));
      return `${name} = ?`;
    });
    return { sql: sql.join(', '), values };
  }

  async #run(sql: string, values: Bound[]): Promise<void> {
    // Expressions name tables without their schema.
    await this.#connection.query(`USE ${this.#schema}`);
    await this.#connection.query<ResultSetHeader>(sql, values);
  }
}
