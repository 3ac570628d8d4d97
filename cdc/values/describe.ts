import type { Connection, RowDataPacket } from 'mysql2/promise';
import { query } from '../connection.ts';

/** A column as it is defined now. Never used to decode the binlog: its rows may be older than this. */
export interface ColumnDescription {
  name: string;
  /** `int`, `varchar`, `uuid`: information_schema's DATA_TYPE. */
  type: string;
  /** `int(10) unsigned`, `enum('a','b')`: its COLUMN_TYPE. */
  definition: string;
  unsigned: boolean;
  zerofill: boolean;
  /** Digits of a second's fraction. */
  fsp: number;
  /** Of text, ENUM and SET. */
  charset: string | undefined;
  /** Of ENUM and SET, in definition order. */
  labels: string[] | undefined;
  /** MariaDB's JSON is LONGTEXT with this check. */
  jsonCheck: boolean;
  generated: boolean;
  nullable: boolean;
  /** A temporal format of MariaDB 5.3: its width stands in no binlog. */
  oldTemporal: boolean;
}

export interface TableDescription {
  schema: string;
  name: string;
  /** `BASE TABLE`, `VIEW`, `SYSTEM VERSIONED`, `SEQUENCE`. */
  kind: string;
  engine: string | undefined;
  /** The primary key's columns in its order; empty without one. */
  key: string[];
  columns: ColumnDescription[];
}

/** Undefined when there is no such table, or the account may not see it. SELECT on the table is enough. */
export async function describeTable(
  connection: Connection,
  schema: string,
  table: string,
): Promise<TableDescription | undefined> {
  const rows = async (sql: string) => {
    const found = await query(connection, { sql, rowsAsArray: false }, [schema, table]);
    return found;
  };
  const inTable = 'TABLE_SCHEMA = ? AND TABLE_NAME = ?';
  const [description] = await rows(
    `SELECT TABLE_TYPE AS kind, ENGINE AS engine FROM information_schema.TABLES WHERE ${inTable}`,
  );
  if (!description) return undefined;
  const columns = await rows(
    `SELECT COLUMN_NAME AS name, DATA_TYPE AS type, COLUMN_TYPE AS definition, CHARACTER_SET_NAME AS charset,
       DATETIME_PRECISION AS fsp, IS_GENERATED AS generated, IS_NULLABLE AS nullable
     FROM information_schema.COLUMNS WHERE ${inTable} ORDER BY ORDINAL_POSITION`,
  );
  const key = await rows(
    `SELECT COLUMN_NAME AS name FROM information_schema.STATISTICS
     WHERE ${inTable} AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX`,
  );
  const checks = await rows(
    `SELECT CHECK_CLAUSE AS clause FROM information_schema.CHECK_CONSTRAINTS
     WHERE CONSTRAINT_SCHEMA = ? AND TABLE_NAME = ?`,
  );
  const clauses = new Set(checks.map((check) => String(check['clause'])));
  return {
    schema,
    name: table,
    kind: String(description['kind']),
    engine: description['engine'] ?? undefined,
    key: key.map((column) => String(column['name'])),
    columns: columns.map((column) => describeColumn(column, clauses)),
  };
}

function describeColumn(column: RowDataPacket, clauses: ReadonlySet<string>): ColumnDescription {
  const name = String(column['name']);
  const type = String(column['type']);
  const definition = String(column['definition']);
  return {
    name,
    type,
    definition,
    unsigned: / unsigned/.test(definition),
    zerofill: / zerofill/.test(definition),
    fsp: Number(column['fsp'] ?? 0),
    charset: column['charset'] ?? undefined,
    labels: type === 'enum' || type === 'set' ? labelsOf(definition) : undefined,
    jsonCheck: clauses.has(`json_valid(\`${name.replaceAll('`', '``')}\`)`),
    generated: column['generated'] === 'ALWAYS',
    nullable: column['nullable'] === 'YES',
    oldTemporal: definition.includes('mariadb-5.3'),
  };
}

function labelsOf(definition: string): string[] {
  return [...definition.matchAll(/'((?:[^']|'')*)'/g)].map(([, label = '']) => label.replaceAll("''", "'"));
}
