import type { Connection, RowDataPacket } from 'mysql2/promise';
import { cdcFault } from '../cdc/errors.ts';
import type { CapturedTable, Row, Value } from '../cdc/index.ts';
import { describeTable, type TableDescription } from '../cdc/values/describe.ts';
import { keyLiteral } from '../cdc/values/key-literal.ts';
import { compileSelect, quoteName, type RowSelect } from '../cdc/values/select.ts';

/** Reads one table in key order, a chunk at a time; each chunk is a snapshot of its own. */
export class ChunkReader {
  /** Rows of the table, as the server estimates them. */
  readonly estimate: number;
  readonly #connection: Connection;
  readonly #table: TableDescription;
  readonly #select: RowSelect;

  private constructor(connection: Connection, table: TableDescription, select: RowSelect, estimate: number) {
    this.#connection = connection;
    this.#table = table;
    this.#select = select;
    this.estimate = estimate;
  }

  /** @throws BNY-CDC-SETTINGS, BNY-CDC-UNSUPPORTED-COLUMN */
  static async open(
    connection: Connection,
    schema: string,
    name: string,
    captured: CapturedTable,
  ): Promise<ChunkReader> {
    const table = await describeTable(connection, schema, name);
    if (!table || table.key.length === 0) {
      throw cdcFault('BNY-CDC-SETTINGS', { found: `\`${name}\` ${table ? 'has no primary key' : 'does not exist'}` });
    }
    const sql =
      'SELECT TABLE_ROWS AS estimate FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?';
    const [rows] = await connection.query<RowDataPacket[]>({ sql, values: [schema, name], rowsAsArray: false });
    return new ChunkReader(connection, table, compileSelect(table, captured), Number(rows[0]?.['estimate'] ?? 0));
  }

  /** The next rows behind `last`. */
  async read(last: readonly Value[] | undefined, limit: number): Promise<{ key: Value[]; row: Row }[]> {
    const { schema, name, key } = this.#table;
    const where = last ? `WHERE ${this.#behind(last)}` : '';
    const sql = `SELECT ${this.#select.list} FROM ${quoteName(schema)}.${quoteName(name)} FORCE INDEX (PRIMARY)
      ${where} ORDER BY ${key.map(quoteName).join(', ')} LIMIT ${limit}`;
    const [rows] = await this.#connection.query<RowDataPacket[]>(sql);
    return (rows as unknown as unknown[][]).map((values) => {
      const row = this.#select.row(values);
      return { key: this.#select.key(row), row };
    });
  }

  /** `(a, b) > (x, y)`, spelled out so that the server uses the key for it. */
  #behind(last: readonly Value[]): string {
    const terms = this.#table.key.map((name, i) => {
      const column = this.#table.columns.find((candidate) => candidate.name === name);
      if (!column) throw new TypeError(`no column ${name}`);
      return { name: quoteName(name), literal: keyLiteral(column, last[i] ?? null) };
    });
    const alternatives = terms.map(({ name, literal }, i) => {
      const equal = terms.slice(0, i).map((term) => `${term.name} = ${term.literal}`);
      return `(${[...equal, `${name} > ${literal}`].join(' AND ')})`;
    });
    return alternatives.join(' OR ');
  }
}
