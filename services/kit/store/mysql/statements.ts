import mysql from 'mysql2';
import { serviceFault } from '../../errors.ts';
import type { SqlValue, Table } from '../../table.ts';
import type { TableFold } from '../fold.ts';
import { keyLengthOf, quote } from './schema.ts';

/** A statement grows no further than this, whatever the server would take. */
const STATEMENT_BYTES = 1_000_000;
/** The optimiser's memory for a list of keys is limited too. */
const ROWS = 1000;

/**
 * What a batch left behind for one table, as few statements: each row is set by its primary key, never by REPLACE, which
 * would remove others. @throws BNY-SERVICE-STORE-VALUE when a value does not fit
 */
export function* statementsFor(database: string, fold: TableFold, packetBytes: number): Generator<string> {
  const { table, cleared, puts, deletes } = fold;
  const name = `${quote(database)}.${quote(table.name)}`;
  if (cleared) yield `DELETE FROM ${name}`;
  const remove: Form<readonly SqlValue[]> = {
    head: `DELETE FROM ${name} WHERE `,
    between: ' OR ',
    tail: '',
    part: keyIs(table),
  };
  yield* chunked(remove, deletes.values(), packetBytes);
  const columns = table.columns.map((column) => quote(column.name));
  const update = columns.map((column) => `${column} = VALUES(${column})`).join(', ');
  const set: Form<readonly SqlValue[]> = {
    head: `INSERT INTO ${name} (${columns.join(', ')}) VALUES `,
    between: ', ',
    tail: ` ON DUPLICATE KEY UPDATE ${update}`,
    part: rowOf(table),
  };
  yield* chunked(set, puts.values(), packetBytes);
}

/** How a statement is made of several rows. */
interface Form<Item> {
  head: string;
  between: string;
  tail: string;
  part(item: Item): string;
}

function rowOf(table: Table): (values: readonly SqlValue[]) => string {
  const keys = table.key.map((name) => table.columns.findIndex((column) => column.name === name));
  return (values) => {
    for (const i of keys) checkLength(table, values[i] as SqlValue);
    return `(${mysql.escape(values as SqlValue[])})`;
  };
}

function keyIs(table: Table): (key: readonly SqlValue[]) => string {
  return (key) => `(${table.key.map((column, i) => `${quote(column)} = ${mysql.escape(key[i])}`).join(' AND ')})`;
}

/** The server itself cuts spaces that are too many at the end of a text, in every mode. */
function checkLength(table: Table, value: SqlValue): void {
  const most = keyLengthOf(table);
  if (typeof value !== 'string' || value.length <= most || [...value].length <= most) return;
  throw serviceFault('BNY-SERVICE-STORE-VALUE', {
    found: `${table.name}: a key of ${[...value].length} characters, ${JSON.stringify(value.slice(0, 40))}…`,
    needed: `${most} at most`,
  });
}

function* chunked<Item>(form: Form<Item>, items: Iterable<Item>, packetBytes: number): Generator<string> {
  const { head, between, tail } = form;
  const room = packetBytes - head.length - tail.length;
  let chunk: string[] = [];
  let bytes = 0;
  for (const item of items) {
    const part = form.part(item);
    const size = Buffer.byteLength(part) + between.length;
    if (size > room) {
      const found = `${head.slice(0, 60)}…: a row of ${size} bytes`;
      throw serviceFault('BNY-SERVICE-STORE-VALUE', { found, needed: 'max_allowed_packet above that' });
    }
    if (chunk.length === ROWS || (chunk.length > 0 && bytes + size > Math.min(STATEMENT_BYTES, room))) {
      yield head + chunk.join(between) + tail;
      chunk = [];
      bytes = 0;
    }
    chunk.push(part);
    bytes += size;
  }
  if (chunk.length > 0) yield head + chunk.join(between) + tail;
}
