import { serviceFault } from './errors.ts';

/** `?` marks a column that may be null. `json` takes any JSON value; queries get its text. */
export type ColumnType = 'integer' | 'real' | 'text' | 'json' | 'integer?' | 'real?' | 'text?' | 'json?';

export interface TableDefinition {
  /** The topic whose events fill this table. */
  from: string;
  columns: Readonly<Record<string, ColumnType>>;
  /** The primary key's columns. */
  key: readonly string[];
  /** Secondary indexes, each a list of columns. */
  indexes?: readonly (readonly string[])[];
}

type ValueOf<C extends ColumnType> = C extends `${infer Base}?` ? Plain<Base> | null : Plain<C>;
type Plain<C extends string> = C extends 'integer' | 'real' ? number : C extends 'text' ? string : unknown;

/** A row as handlers put it: every column, no more. */
export type RowOf<T extends TableDefinition> = { [C in keyof T['columns']]: ValueOf<T['columns'][C]> };

/** How SQL stores hold values. */
export type SqlValue = string | number | null;

interface Column {
  name: string;
  base: 'integer' | 'real' | 'text' | 'json';
  nullable: boolean;
}

/** A table of a store, ready for any SQL adapter. */
export class Table {
  readonly name: string;
  readonly from: string;
  readonly columns: readonly Column[];
  readonly key: readonly string[];
  readonly indexes: readonly (readonly string[])[];

  constructor(name: string, { from, columns, key, indexes = [] }: TableDefinition) {
    this.name = name;
    this.from = from;
    this.key = key;
    this.indexes = indexes;
    this.columns = Object.entries(columns).map(([column, type]) => ({
      name: column,
      base: (type.endsWith('?') ? type.slice(0, -1) : type) as Column['base'],
      nullable: type.endsWith('?'),
    }));
    const known = new Set(Object.keys(columns));
    const unknown = [...key, ...indexes.flat()].filter((column) => !known.has(column));
    if (key.length === 0 || unknown.length > 0) {
      throw serviceFault('BNY-SERVICE-DOMAIN', {
        found: key.length === 0 ? `table ${name} has no key` : `table ${name} has no column ${unknown.join(', ')}`,
      });
    }
  }

  /** A row's values in the order of the columns. @throws when a column is missing, null, or of another type */
  values(row: Record<string, unknown>): SqlValue[] {
    return this.columns.map((column) => toSql(this.name, column, row[column.name]));
  }

  /** The text under which changes of one row are folded. */
  identity(key: readonly unknown[]): string {
    return key.length === 1 ? String(key[0]) : JSON.stringify(key);
  }

  /** A key as handlers give it. @throws when a part is missing or of another type */
  checkedKey(key: readonly unknown[]): SqlValue[] {
    if (key.length !== this.key.length) throw new TypeError(`the key of ${this.name} is ${this.key.join(', ')}`);
    return this.key.map((name, i) =>
      toSql(this.name, this.columns.find((column) => column.name === name) as Column, key[i]),
    );
  }

  keyOf(row: Record<string, unknown>): SqlValue[] {
    return this.key.map((column) => row[column] as SqlValue);
  }
}

function toSql(table: string, { name, base, nullable }: Column, value: unknown): SqlValue {
  if (value === null || value === undefined) {
    if (nullable && value === null) return null;
    throw new TypeError(`${table}.${name} is ${value === null ? 'null, but not nullable' : 'missing'}`);
  }
  if (base === 'json') return JSON.stringify(value);
  const fits =
    base === 'text'
      ? typeof value === 'string'
      : base === 'integer'
        ? Number.isSafeInteger(value)
        : typeof value === 'number';
  if (!fits)
    throw new TypeError(`${table}.${name} takes ${base}, not ${typeof value} ${JSON.stringify(value).slice(0, 40)}`);
  return value as SqlValue;
}
