import type { Connection } from 'mysql2/promise';
import { query } from '../cdc/connection.ts';
import { cdcFault } from '../cdc/errors.ts';
import type { CapturedTable, Row, Value } from '../cdc/index.ts';
import { describeTable, type TableDescription } from '../cdc/values/describe.ts';
import { keyLiteral } from '../cdc/values/key-literal.ts';
import { compileSelect, quoteName, type RowSelect } from '../cdc/values/select.ts';

/** Chunks of large rows are cut short, so that a few of them fit into memory. */
const CHUNK_BYTES = 8_000_000;

/** A chunk that takes longer counts as lost, and is read again. */
const READ_TIMEOUT_MS = 60_000;

/** Reads one table in key order, a chunk at a time; each chunk is a snapshot of its own. */
export class ChunkReader {
  /** Rows of the table, as the server estimates them. */
  readonly estimate: number;
  readonly #connection: Connection;
  readonly #table: TableDescription;
  readonly #select: RowSelect;
  /** Of one row on average: as the server estimates it, then as the last chunk had it. */
  #rowBytes = 0;

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
    const sql = `SELECT TABLE_ROWS AS estimate, AVG_ROW_LENGTH AS bytes
      FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?`;
    const [facts] = await query(connection, { sql, rowsAsArray: false }, [schema, name]);
    const reader = new ChunkReader(connection, table, compileSelect(table, captured), Number(facts?.['estimate'] ?? 0));
    reader.#rowBytes = Number(facts?.['bytes'] ?? 0);
    return reader;
  }

  /** Rows to read at once, at most `chunkRows`: so many that a chunk stays within {@link CHUNK_BYTES}. */
  limit(chunkRows: number): number {
    return Math.max(1, Math.min(chunkRows, Math.floor(CHUNK_BYTES / this.#rowBytes)));
  }

  /** The next rows behind `last`. */
  async read(last: readonly Value[] | undefined, limit: number): Promise<{ key: Value[]; row: Row }[]> {
    const { schema, name, key } = this.#table;
    const where = last ? `WHERE ${this.#behind(last)}` : '';
    const sql = `SELECT ${this.#select.list} FROM ${quoteName(schema)}.${quoteName(name)} FORCE INDEX (PRIMARY)
      ${where} ORDER BY ${key.map(quoteName).join(', ')} LIMIT ${limit}`;
    const rows = (await query(this.#connection, sql, [], READ_TIMEOUT_MS)) as unknown as unknown[][];
    if (rows.length > 0) this.#rowBytes = bytesOf(rows) / rows.length;
    return rows.map((values) => {
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

function bytesOf(rows: readonly unknown[][]): number {
  let bytes = 0;
  for (const row of rows)
    for (const value of row) bytes += typeof value === 'string' || Buffer.isBuffer(value) ? value.length : 8;
  return bytes;
}
