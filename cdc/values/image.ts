import type { CapturedTable, Row } from '../types.ts';
import { type Cursor, type Decode, decoderOf, type ImageColumn, skipOf } from './image-types.ts';
import { rowColumns } from './supported.ts';

/** How to read one table's full row images, as the table map before them describes their columns. */
export interface RowImage {
  /** Absent when not even the key can be read: `problems` says why. */
  read?: (cursor: Cursor) => Row;
  /** What the capture declares and these rows do not hold, or not so that it can be read. */
  problems: string[];
}

/**
 * Compiles the reader of a table's row images: once for each definition of the table. What is found is read also when
 * other columns are missing; nothing is guessed.
 */
export function compileImage(columns: readonly ImageColumn[], captured: CapturedTable): RowImage {
  const problems: string[] = [];
  const missing = new Set(rowColumns(captured));
  const steps = columns.map((column): Step => {
    const skip = skipOf(column);
    if (!skip) problems.push(`the width of column \`${column.name}\` is not known`);
    if (!missing.delete(column.name)) return { name: undefined, read: skip };
    const decode = decoderOf(column, captured.types?.[column.name]);
    if (typeof decode !== 'string') return { name: column.name, read: decode };
    problems.push(`column \`${column.name}\` is ${decode}`);
    return { name: undefined, read: skip };
  });
  for (const name of missing) problems.push(`column \`${name}\` is missing`);
  const found = new Set(steps.map(({ name }) => name));
  if (!steps.every((step): step is ReadableStep => step.read !== undefined)) return { problems };
  return captured.key.every((name) => found.has(name)) ? { read: rowReader(steps), problems } : { problems };
}

interface Step {
  /** Undefined: passed over. */
  name: string | undefined;
  read: Decode | undefined;
}

type ReadableStep = Step & { read: Decode };

function rowReader(steps: readonly ReadableStep[]): (cursor: Cursor) => Row {
  const nullBytes = (steps.length + 7) >> 3;
  return (cursor) => {
    const { bytes, at } = cursor;
    cursor.at += nullBytes;
    const row: Row = {};
    for (let i = 0; i < steps.length; i++) {
      const { name, read } = steps[i] as ReadableStep;
      const isNull = ((bytes[at + (i >> 3)] as number) >> (i & 7)) & 1;
      const value = isNull ? null : read(cursor);
      if (name !== undefined) row[name] = value;
    }
    return row;
  };
}
