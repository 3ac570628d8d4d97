import { type Change, changedColumns, type Row, type Value } from '../../cdc/index.ts';

/** A row's columns as an event's fields: `author_id` → `authorId`. The event's schema checks that it is a `Data`. */
export function fields<Data extends object>(row: Row): Data {
  const data: Record<string, Value> = {};
  for (const column in row) data[fieldOf(column)] = row[column] as Value;
  return data as Data;
}

/** The fields that an update changed. */
export function changedFields(change: Change): string[] {
  return changedColumns(change).map(fieldOf);
}

/** The fields in which two states of a row differ. */
export function differences(before: object, after: object): string[] {
  return changedColumns({ before, after } as Change);
}

/** An event's fields as a row's columns: the way back of {@link fields}, for columns of lower-case words. */
export function columns(data: object): Row {
  const row: Row = {};
  for (const [field, value] of Object.entries(data)) row[field.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)] = value;
  return row;
}

/** Column → field: a capture sees the same few columns a million times. */
const FIELDS = new Map<string, string>();

function fieldOf(column: string): string {
  let field = FIELDS.get(column);
  if (field === undefined) {
    field = column.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    FIELDS.set(column, field);
  }
  return field;
}
