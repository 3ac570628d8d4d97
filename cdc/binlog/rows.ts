import { inflateSync } from 'node:zlib';
import { cdcFault } from '../errors.ts';
import type { Change, Row, Value } from '../types.ts';
import type { Cursor } from '../values/image-types.ts';
import type { RawEvent } from './dump.ts';
import type { RowsEventType } from './event-types.ts';
import type { MappedTable, TableMaps } from './table-maps.ts';

/** Takes what the rows of an event say. */
export interface RowsSink {
  /** `size`: bytes of row images that the changes were read from. Two changes: delete and insert of a changed key. */
  change(size: number, change: Change, linked?: Change): void;
  /** Rows of the table changed, and the changes do not say all of it. */
  incomplete(table: string, kind: 'columns' | 'statement', reason: string): void;
}

const cursor: Cursor = { bytes: Buffer.alloc(0), at: 0, problem: undefined };

/** Reads the rows of one event into changes. */
export function readRows(event: RawEvent, type: RowsEventType, maps: TableMaps, sink: RowsSink): void {
  const { bytes, body } = event;
  const id = bytes.readUIntLE(body, 6);
  // Ends a statement whose tables were all left out.
  if (id === 0xffffffffffff) return;
  const table = maps.get(id);
  if (!table) return;
  const { name, image } = table;
  const columns = table.columns.length;
  if (!image.read) {
    sink.incomplete(name, 'statement', `its rows cannot be read: ${image.problems.join(', ')}`);
    return;
  }

  let at = body + 8;
  if (type.extra) at += bytes.readUInt16LE(at);
  const [count, bitmapAt] = lengthCoded(bytes, at);
  if (count !== columns) {
    throw cdcFault('BNY-CDC-UNDECODABLE', { found: `rows of ${name} with ${count} columns`, needed: `${columns}` });
  }
  const bitmapBytes = (columns + 7) >> 3;
  const bitmaps = type.kind === 'update' ? 2 : 1;
  for (let i = 0; i < bitmaps; i++) {
    if (coversAll(bytes, bitmapAt + i * bitmapBytes, columns)) continue;
    sink.incomplete(name, 'statement', 'its rows were not logged in full: binlog_row_image was not FULL');
    return;
  }
  if (image.problems.length > 0) sink.incomplete(name, 'columns', image.problems.join(', '));

  const rowsAt = bitmapAt + bitmaps * bitmapBytes;
  const rows = type.compressed ? inflated(bytes.subarray(rowsAt, event.end)) : bytes;
  cursor.bytes = rows;
  cursor.at = type.compressed ? 0 : rowsAt;
  const end = type.compressed ? rows.length : event.end;
  while (cursor.at < end) READERS[type.kind](table, image.read, sink);
  if (cursor.at !== end)
    throw cdcFault('BNY-CDC-UNDECODABLE', { found: `rows of ${name} that end beyond their event` });
}

type Read = (cursor: Cursor) => Row;

const READERS = { insert: readInsert, delete: readDelete, update: readUpdate };

function readInsert(table: MappedTable, read: Read, sink: RowsSink): void {
  const start = cursor.at;
  const after = readRow(table, read, sink);
  sink.change(cursor.at - start, { table: table.name, kind: 'insert', key: keyOf(after, table.captured.key), after });
}

function readDelete(table: MappedTable, read: Read, sink: RowsSink): void {
  const start = cursor.at;
  const before = readRow(table, read, sink);
  sink.change(cursor.at - start, { table: table.name, kind: 'delete', key: keyOf(before, table.captured.key), before });
}

function readUpdate(table: MappedTable, read: Read, sink: RowsSink): void {
  const start = cursor.at;
  const before = readRow(table, read, sink);
  const after = readRow(table, read, sink);
  const size = cursor.at - start;
  const { name, captured } = table;
  const from = keyOf(before, captured.key);
  const to = keyOf(after, captured.key);
  if (from.every((value, i) => value === to[i])) {
    sink.change(size, { table: name, kind: 'update', key: to, before, after });
  } else {
    const gone: Change = { table: name, kind: 'delete', key: from, before, linkedKey: to };
    sink.change(size, gone, { table: name, kind: 'insert', key: to, after, linkedKey: from });
  }
}

function readRow(table: MappedTable, read: Read, sink: RowsSink): Row {
  const row = read(cursor);
  if (cursor.problem !== undefined) {
    sink.incomplete(table.name, 'columns', cursor.problem);
    cursor.problem = undefined;
  }
  return row;
}

function keyOf(row: Row, [first, ...rest]: readonly string[]): Value[] {
  const key = [row[first as string] as Value];
  for (const name of rest) key.push(row[name] as Value);
  return key;
}

function coversAll(bytes: Buffer, at: number, columns: number): boolean {
  for (let i = 0; i < columns; i++) {
    if (!(((bytes[at + (i >> 3)] as number) >> (i & 7)) & 1)) return false;
  }
  return true;
}

/** Row images under log_bin_compress: a byte that says how many bytes of length follow, then zlib. */
function inflated(bytes: Buffer): Buffer {
  const header = bytes[0] as number;
  if ((header & 0xf0) !== 0x80) throw cdcFault('BNY-CDC-UNDECODABLE', { found: `compression ${header}` });
  return inflateSync(bytes.subarray(1 + (header & 7)));
}

/** A length-coded number and where it ends. */
function lengthCoded(bytes: Buffer, at: number): [number, number] {
  const first = bytes[at] as number;
  return first < 251 ? [first, at + 1] : [bytes.readUInt16LE(at + 1), at + 3];
}
