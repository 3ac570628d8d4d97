import type { ConnectionOptions } from 'mysql2/promise';
import { cdcFault } from '../errors.ts';
import type { CapturedTable, Row, Value } from '../types.ts';
import type { ColumnDescription, TableDescription } from './describe.ts';
import { shortestFloat } from './float.ts';
import { canonicalJson } from './json.ts';
import { refusal, rowColumns } from './supported.ts';

/** How a connection must be opened for {@link compileSelect}: nothing turned into Date or number on the way. */
export const SELECT_OPTIONS = {
  charset: 'utf8mb4',
  timezone: 'Z',
  dateStrings: true,
  supportBigNumbers: true,
  bigNumberStrings: true,
  jsonStrings: true,
  rowsAsArray: true,
} as const satisfies ConnectionOptions;

/** To be run on it first. An empty sql_mode: CHAR unpadded, zero dates compare. */
export const SELECT_SESSION = "SET SESSION time_zone = '+00:00', sql_mode = ''";

/** Reads one table's rows with SELECT, as the same values that the binlog gives for them. */
export interface RowSelect {
  /** The select list. */
  list: string;
  /** One row of that list, as an array, to its canonical form. */
  row(values: readonly unknown[]): Row;
  /** The key's values of a row. */
  key(row: Row): Value[];
}

export function compileSelect(table: TableDescription, captured: CapturedTable): RowSelect {
  const columns = rowColumns(captured).map((name) => {
    const column = table.columns.find((candidate) => candidate.name === name);
    if (!column) {
      throw cdcFault('BNY-CDC-SETTINGS', {
        found: `no column \`${name}\` in \`${table.name}\``,
        needed: 'every declared column',
      });
    }
    const declared = captured.types?.[name];
    const refused = refusal(column, declared);
    if (refused) {
      throw cdcFault('BNY-CDC-UNSUPPORTED-COLUMN', { ...refused, found: `\`${table.name}\`: ${refused.found}` });
    }
    return { name, sql: selectForm(column), decode: decoder(table.name, column, declared === 'json') };
  });
  return {
    list: columns.map(({ sql }) => sql).join(', '),
    row(values) {
      const row: Row = {};
      for (let i = 0; i < columns.length; i++) {
        const value = values[i];
        const { name, decode } = columns[i] as (typeof columns)[number];
        row[name] = value === null ? null : decode(value);
      }
      return row;
    },
    key: (row) => captured.key.map((name) => row[name] as Value),
  };
}

export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

function selectForm({ name, type }: ColumnDescription): string {
  const quoted = quoteName(name);
  // As text a FLOAT has six digits, a DOUBLE(M,D) its D decimals: cast, both print every bit.
  return type === 'float' || type === 'double' ? `CAST(${quoted} AS DOUBLE)` : quoted;
}

type Decode = (value: unknown) => Value;

function decoder(table: string, { name, type, zerofill }: ColumnDescription, json: boolean): Decode {
  if (json) {
    return (value) => {
      try {
        return canonicalJson(value as string);
      } catch {
        throw cdcFault('BNY-CDC-UNDECODABLE', { found: `\`${table}\`.\`${name}\` is not JSON`, needed: 'JSON' });
      }
    };
  }
  switch (type) {
    case 'float':
      return (value) => shortestFloat(Math.fround(value as number));
    case 'double':
      return (value) => (value as number) + 0;
    case 'bigint':
      return (value) => integer(value as string);
    case 'decimal':
      return zerofill ? (value) => (value as string).replace(/^0+(?=\d)/, '') : asIs;
    case 'datetime':
      return (value) => (value as string).replace(' ', 'T');
    case 'timestamp':
      return (value) => `${(value as string).replace(' ', 'T')}Z`;
    case 'set':
      return (value) => (value === '' ? [] : (value as string).split(','));
    case 'bit':
    case 'binary':
    case 'varbinary':
    case 'tinyblob':
    case 'blob':
    case 'mediumblob':
    case 'longblob':
      return (value) => (value as Buffer).toString('base64');
    default:
      return asIs;
  }
}

const asIs = (value: unknown) => value as Value;

function integer(digits: string): Value {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : String(BigInt(digits));
}
