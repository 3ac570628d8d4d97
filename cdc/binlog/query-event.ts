import type { QueryEvent } from '@vlasky/zongji';
import type { LoggedStatement } from '../statements/classify.ts';
import type { RawEvent } from './dump.ts';

const ANSI_QUOTES = 0x4;
const NO_BACKSLASH_ESCAPES = 0x100000;

/** Of `LOAD DATA` as text: after the fields of a query event follow the file's id and where its name stands. */
const LOAD_FIELDS = 13;

export function queryOf(event: RawEvent): LoggedStatement {
  const mode = sqlMode(event, event.body + 13);
  const { query, schema } = event.parse<QueryEvent>();
  return { sql: query, schema, mode };
}

/** zongji does not know this event. */
export function loadQueryOf(event: RawEvent): LoggedStatement {
  const { bytes, body, end } = event;
  const variables = body + 13 + LOAD_FIELDS;
  const schemaAt = variables + bytes.readUInt16LE(body + 11);
  const schemaEnd = schemaAt + (bytes[body + 8] as number);
  const schema = bytes.toString('utf8', schemaAt, schemaEnd);
  return { sql: bytes.toString('utf8', schemaEnd + 1, end), schema, mode: sqlMode(event, variables) };
}

/** Status variables start with the session's flags (code 0, four bytes) and its sql_mode (code 1, eight). */
function sqlMode({ bytes }: RawEvent, variables: number): LoggedStatement['mode'] {
  const at = bytes[variables] === 0 ? variables + 5 : variables;
  const mode = bytes[at] === 1 ? bytes.readUInt32LE(at + 1) : 0;
  return { ansiQuotes: (mode & ANSI_QUOTES) !== 0, noBackslashEscapes: (mode & NO_BACKSLASH_ESCAPES) !== 0 };
}
