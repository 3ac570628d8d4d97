import type { KafkaRecord } from '../../log/kafka/record-batch.ts';
import { debeziumFault } from './errors.ts';
import { type Gtid, parseGtid } from './position.ts';

/** A column as Debezium read it from a table's definition. */
export interface DefinedColumn {
  name: string;
  /** `BIGINT UNSIGNED`, `VARCHAR`. */
  typeName: string;
  charsetName: string | null;
  length: number | null;
  scale: number | null;
  optional: boolean;
  /** Of ENUM and SET, quoted as in SQL. */
  enumValues: string[] | null;
}

export interface TableChange {
  type: string;
  schema: string;
  table: string;
  /** Null of a table that is gone. */
  definition: { key: string[]; columns: DefinedColumn[] } | null;
}

/** A row's values as Debezium's JSON has them: whole numbers that JavaScript's are too small for come as text. */
export type RawRow = Readonly<Record<string, unknown>>;

export interface RowRecord {
  kind: 'row';
  gtid: Gtid;
  op: 'c' | 'u' | 'd' | 't';
  schema: string;
  table: string;
  before: RawRow | null;
  after: RawRow | null;
  /** Counts the transaction's changes from 1; from 1 again when a connector goes on in the middle of one. */
  order: number;
  /** Where in the binlog the row stands: file, event, row in it. */
  place: Place;
  /** Set on both halves of a changed key. */
  keyChanged: boolean;
  /** Seconds since 1970. */
  at: number;
  bytes: number;
}

export interface Place {
  file: string;
  position: number;
  row: number;
  /** 1 of the insert that a changed key comes as, which has the rest in common with its delete. */
  half: 0 | 1;
}

export interface StatementRecord {
  kind: 'statement';
  /** Undefined: of the structures that a connector reads when it starts without an offset. */
  gtid: Gtid | undefined;
  schema: string;
  sql: string;
  at: number;
  changes: TableChange[];
}

export type DebeziumRecord =
  | { kind: 'begin'; gtid: Gtid; at: number }
  | { kind: 'end'; gtid: Gtid; at: number; count: number }
  | RowRecord
  | StatementRecord
  | { kind: 'heartbeat' };

/** What a connector writes under the settings of `config.ts`. @throws BNY-CDC-FOREIGN-RECORD */
export function readRecord({ offset, value, headers }: KafkaRecord, topic: string): DebeziumRecord {
  const foreign = (found: string) =>
    debeziumFault('BNY-CDC-FOREIGN-RECORD', {
      found: `${found} at offset ${offset} of ${topic}`,
      needed: `what the connector of ${topic} writes`,
    });
  if (value === null) throw foreign('a record without a value');
  let json: Json;
  try {
    json = parseExactly(value.toString());
  } catch (cause) {
    // The error's own message quotes the record.
    throw foreign(`text that is not JSON (${(cause as Error).name})`);
  }
  const read = fromJson(json, value.length, headers, topic);
  if (!read) throw foreign('a record of another kind');
  return read;
}

// biome-ignore lint/suspicious/noExplicitAny: read from outside; every field that is used is checked or only printed
type Json = any;

function fromJson(
  json: Json,
  bytes: number,
  headers: KafkaRecord['headers'],
  topic: string,
): DebeziumRecord | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  if (json.status === 'BEGIN') return { kind: 'begin', gtid: parseGtid(String(json.id)), at: seconds(json.ts_ms) };
  if (json.status === 'END') {
    return { kind: 'end', gtid: parseGtid(String(json.id)), at: seconds(json.ts_ms), count: Number(json.event_count) };
  }
  const { source } = json;
  if (source === undefined) return Object.keys(json).join() === 'ts_ms' ? { kind: 'heartbeat' } : undefined;
  if (source?.connector !== 'mariadb' || source.name !== topic) return undefined;
  if (typeof json.ddl === 'string') return statement(json);
  if (!/^[cudt]$/.test(json.op) || typeof json.transaction?.id !== 'string') return undefined;
  const keyChanged = headers.has('__debezium.newkey') || headers.has('__debezium.oldkey');
  return {
    kind: 'row',
    gtid: parseGtid(json.transaction.id),
    op: json.op,
    schema: source.db,
    table: source.table,
    before: json.before,
    after: json.after,
    order: json.transaction.total_order,
    place: {
      file: source.file,
      position: Number(source.pos),
      row: Number(source.row),
      half: keyChanged && json.op === 'c' ? 1 : 0,
    },
    keyChanged,
    at: seconds(source.ts_ms),
    bytes,
  };
}

function statement({ source, databaseName, ddl, tableChanges }: Json): StatementRecord {
  return {
    kind: 'statement',
    gtid: source.gtid === null ? undefined : parseGtid(source.gtid),
    schema: databaseName ?? '',
    sql: ddl,
    at: seconds(source.ts_ms),
    changes: (tableChanges ?? []).map(({ type, id, table }: Json): TableChange => {
      const [, schema = '', name = ''] = QUOTED.exec(id) ?? [];
      const definition = table && { key: table.primaryKeyColumnNames ?? [], columns: table.columns };
      return { type, schema: unquoted(schema), table: unquoted(name), definition };
    }),
  };
}

/** `"schema"."table"`, with each quote in a name twice. */
const QUOTED = /^"((?:[^"]|"")*)"\."((?:[^"]|"")*)"$/;

function unquoted(name: string): string {
  return name.replaceAll('""', '"');
}

function seconds(milliseconds: unknown): number {
  return Math.floor(Number(milliseconds) / 1000);
}

const LONG_NUMBER = /\d{16}/;

/** Times in nanoseconds stand behind the rows in every record, and are not needed: only what comes before costs care. */
function parseExactly(text: string): Json {
  // The last one: a column with a geometry can have that name. Within a value the quotes would be escaped.
  const rowsEnd = text.lastIndexOf(',"source":{');
  const rows = rowsEnd < 0 ? text : text.slice(0, rowsEnd);
  return LONG_NUMBER.test(rows)
    ? JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown)
    : JSON.parse(text);
}

function keepDigits(_key: string, value: unknown, { source }: { source: string }): unknown {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? source : value;
}
