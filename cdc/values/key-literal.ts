import { cdcFault } from '../errors.ts';
import type { Value } from '../types.ts';
import type { ColumnDescription } from './describe.ts';

type Literal = (value: Value) => string | undefined;

const number: Literal = (value) => (/^-?\d+(\.\d+)?$/.test(String(value)) ? String(value) : undefined);

// Hexadecimal: means the same under every sql_mode, whatever it holds.
const text: Literal = (value) =>
  typeof value === 'string' ? `_utf8mb4 X'${Buffer.from(value).toString('hex')}'` : undefined;

const bytes: Literal = (value) =>
  typeof value === 'string' ? `X'${Buffer.from(value, 'base64').toString('hex')}'` : undefined;

const time: Literal = (value) =>
  /^[-\d:.TZ]+$/.test(String(value)) ? `'${String(value).replace('T', ' ').replace('Z', '')}'` : undefined;

const address: Literal = (value) => (/^[-\da-f:.]+$/.test(String(value)) ? `'${value}'` : undefined);

/** Types that may stand in a key, with how they are written. */
const KEY_TYPES: ReadonlyMap<string, Literal> = new Map([
  ...['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'year', 'decimal'].map((type) => [type, number] as const),
  ...['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext'].map((type) => [type, text] as const),
  ...['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob'].map((type) => [type, bytes] as const),
  ...['date', 'time', 'datetime', 'timestamp'].map((type) => [type, time] as const),
  ...['uuid', 'inet4', 'inet6'].map((type) => [type, address] as const),
]);

/** Whether values of this column compare exactly when they are written as literals. */
export function isKeyType({ type }: ColumnDescription): boolean {
  return KEY_TYPES.has(type);
}

/**
 * A canonical key value as an SQL literal that compares exactly with its column, for `WHERE key > …` in a session as
 * `SELECT_SESSION` makes it.
 *
 * @throws BNY-CDC-UNSUPPORTED-COLUMN of a type that has no such literal: FLOAT, DOUBLE, ENUM, SET, BIT and others
 */
export function keyLiteral(column: ColumnDescription, value: Value): string {
  const { name, type } = column;
  const literal = KEY_TYPES.get(type);
  if (!literal) {
    throw cdcFault('BNY-CDC-UNSUPPORTED-COLUMN', {
      found: `\`${name}\` is ${type}, in a primary key`,
      needed: 'integers, DECIMAL, text, binary, dates, times, UUID or INET',
      cure: 'Give the table another primary key.',
    });
  }
  const sql = literal(value);
  if (sql === undefined) throw new TypeError(`not a value of \`${name}\`, which is ${type}`);
  return sql;
}
