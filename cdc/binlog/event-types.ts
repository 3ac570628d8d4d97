/** Types of binlog events, as MariaDB 10.11 writes them. */
export const QUERY = 2;
export const STOP = 3;
export const ROTATE = 4;
export const INTVAR = 5;
export const APPEND_BLOCK = 9;
export const RAND = 13;
export const USER_VAR = 14;
export const FORMAT_DESCRIPTION = 15;
export const XID = 16;
export const BEGIN_LOAD_QUERY = 17;
export const EXECUTE_LOAD_QUERY = 18;
export const TABLE_MAP = 19;
export const HEARTBEAT = 27;
export const XA_PREPARE = 38;
export const ANNOTATE_ROWS = 160;
export const BINLOG_CHECKPOINT = 161;
export const GTID = 162;
export const GTID_LIST = 163;
export const START_ENCRYPTION = 164;
export const QUERY_COMPRESSED = 165;

/** Events that say nothing about tables. */
export const SILENT: ReadonlySet<number> = new Set([
  ...[STOP, INTVAR, APPEND_BLOCK, RAND, USER_VAR, FORMAT_DESCRIPTION, BEGIN_LOAD_QUERY, HEARTBEAT],
  ...[ANNOTATE_ROWS, BINLOG_CHECKPOINT, START_ENCRYPTION],
]);

export interface RowsEventType {
  kind: 'insert' | 'update' | 'delete';
  /** The second version has a field of variable length before the columns. */
  extra: boolean;
  compressed: boolean;
}

const KINDS = ['insert', 'update', 'delete'] as const;

export const ROWS: ReadonlyMap<number, RowsEventType> = new Map(
  [
    { first: 23, extra: false, compressed: false },
    { first: 30, extra: true, compressed: false },
    { first: 166, extra: false, compressed: true },
    { first: 169, extra: true, compressed: true },
  ].flatMap(({ first, ...rest }) => KINDS.map((kind, i): [number, RowsEventType] => [first + i, { kind, ...rest }])),
);
