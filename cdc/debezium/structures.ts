import type { CapturedTable, Row, Value } from '../types.ts';
import { rowColumns } from '../values/supported.ts';
import { type Decode, decoderOf, Uncarried } from './decode.ts';
import type { DefinedColumn, RawRow, TableChange } from './record.ts';

/** What is kept of a column's definition, in the resume point too. */
export interface Column {
  name: string;
  type: string;
  charset: string | null;
  length: number | null;
  scale: number | null;
  optional: boolean;
  labels: string[] | null;
}

/** Of a followed table: the columns that its rows consist of, in its order. */
export interface Structure {
  key: string[];
  columns: Column[];
}

/** The structure that a statement left a table with; null: it is gone. */
export function structureOf({ definition }: TableChange, captured: CapturedTable): Structure | null {
  if (!definition) return null;
  const wanted = new Set(rowColumns(captured));
  const columns = definition.columns.filter(({ name }) => wanted.has(name)).map(columnOf);
  return { key: definition.key, columns };
}

function columnOf({ name, typeName, charsetName, length, scale, optional, enumValues }: DefinedColumn): Column {
  return { name, type: typeName, charset: charsetName, length, scale, optional, labels: enumValues };
}

/** How to read a table's rows while it has this structure. */
export interface RowReader {
  /** Absent when not even the key can be read: `problems` says why. */
  read?: (raw: RawRow, problem: (text: string) => void) => Row;
  key(row: Row): Value[];
  /** What the capture declares and these rows do not hold, or not so that it can be read. */
  problems: string[];
}

export function compileReader({ key, columns }: Structure, captured: CapturedTable): RowReader {
  const keyOf = (row: Row) => captured.key.map((name) => row[name] as Value);
  if (key.join() !== captured.key.join()) {
    return { key: keyOf, problems: [`the primary key is (${key}), declared is (${captured.key})`] };
  }
  const problems: string[] = [];
  const missing = new Set(rowColumns(captured));
  const steps: { column: Column; decode: Decode }[] = [];
  for (const column of columns) {
    missing.delete(column.name);
    const decode = decoderOf(column, captured.types?.[column.name]);
    if (typeof decode === 'string') problems.push(`column \`${column.name}\` is ${decode}`);
    else steps.push({ column, decode });
  }
  for (const name of missing) problems.push(`column \`${name}\` is missing`);
  const readable = captured.key.every((name) => steps.some(({ column }) => column.name === name));
  return { key: keyOf, problems, ...(readable && { read: rowReader(steps) }) };
}

function rowReader(steps: readonly { column: Column; decode: Decode }[]): NonNullable<RowReader['read']> {
  return (raw, problem) => {
    const row: Row = {};
    for (const { column, decode } of steps) {
      const { name, optional } = column;
      const value = raw[name];
      if (value === undefined) {
        problem(`column \`${name}\` is missing`);
      } else if (value === null) {
        row[name] = null;
        if (!optional) problem(`column \`${name}\` holds NULL, which its definition forbids`);
      } else {
        row[name] = decoded(value, decode, name, problem);
      }
    }
    return row;
  };
}

function decoded(value: unknown, decode: Decode, name: string, problem: (text: string) => void): Value {
  try {
    return decode(value);
  } catch (error) {
    if (!(error instanceof Uncarried)) throw error;
    problem(`column \`${name}\` holds ${error.message}`);
    return value as Value;
  }
}
