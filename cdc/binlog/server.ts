import mysql from 'mysql2/promise';
import { cdcFault } from '../errors.ts';
import type { Settings } from './options.ts';
import { fileNumber } from './position.ts';

/** What is asked of MariaDB and would be asked of MySQL in other words. Everything of the server's flavour stands here. */

export type Rows = mysql.RowDataPacket[];

const DEADLINE_MS = 10_000;

/** @throws BNY-CDC-UNREACHABLE */
export async function connectTo({ connection: { ssl, ...account } }: Settings): Promise<mysql.Connection> {
  try {
    return await mysql.createConnection({
      ...account,
      ...(ssl && { ssl }),
      charset: 'utf8mb4',
      timezone: 'Z',
      dateStrings: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
      connectTimeout: DEADLINE_MS,
    });
  } catch (error) {
    throw unreachable(error);
  }
}

export function unreachable(error: unknown) {
  const { code, message } = error as { code?: string; message?: string };
  return cdcFault('BNY-CDC-UNREACHABLE', { found: message || code || String(error), cause: error });
}

/** Every query has a deadline: a server that hangs counts as one that does not answer. */
export async function query(connection: mysql.Connection, sql: string, values: unknown[] = []): Promise<Rows> {
  const [rows] = await connection.query<Rows>({ sql, values, timeout: DEADLINE_MS });
  return rows;
}

/** Variables by name; absent where the server does not know them. */
export async function variables(connection: mysql.Connection): Promise<ReadonlyMap<string, string>> {
  const rows = await query(connection, 'SHOW GLOBAL VARIABLES');
  return new Map(rows.map((row) => [String(row['Variable_name']).toLowerCase(), String(row['Value'])]));
}

export async function masterStatus(connection: mysql.Connection): Promise<{ file: number; offset: number }> {
  const [row] = await query(connection, 'SHOW MASTER STATUS');
  if (!row) throw cdcFault('BNY-CDC-SETTINGS', { found: 'no binlog', needed: 'log_bin' });
  return { file: fileNumber(String(row['File'])), offset: Number(row['Position']) };
}

export interface ServerFacts {
  serverId: number;
  serverUid: string;
  file: number;
  offset: number;
  /** The newest GTID of every domain. Read after `offset`: includes everything before it. */
  gtidPosition: string;
  /** The newest GTID of every domain and server. */
  gtidState: string[];
  /** Collation id → charset. */
  charsets: ReadonlyMap<number, string>;
  /** Names of schemas and tables, as this server compares them. */
  fold(name: string): string;
}

export async function serverFacts(connection: mysql.Connection): Promise<ServerFacts> {
  const status = await masterStatus(connection);
  const all = await variables(connection);
  if (!/mariadb/i.test(all.get('version') ?? '')) {
    throw cdcFault('BNY-CDC-SETTINGS', { found: `version ${all.get('version')}`, needed: 'MariaDB' });
  }
  const ignoreCase = all.get('lower_case_table_names') !== '0';
  return {
    ...status,
    serverId: Number(all.get('server_id')),
    serverUid: all.get('server_uid') ?? '',
    gtidPosition: all.get('gtid_binlog_pos') ?? '',
    gtidState: (all.get('gtid_binlog_state') ?? '').split(','),
    charsets: await charsets(connection),
    fold: ignoreCase ? (name) => name.toLowerCase() : (name) => name,
  };
}

/** zongji knows MySQL's collations only; MariaDB's own (NOPAD, UCA 14) have ids of their own. */
async function charsets(connection: mysql.Connection): Promise<ReadonlyMap<number, string>> {
  const ofCollations = 'SELECT ID AS id, CHARACTER_SET_NAME AS charset FROM information_schema.COLLATIONS';
  const ofAll =
    'SELECT ID AS id, CHARACTER_SET_NAME AS charset FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY';
  // Before 10.10 the second table has no ids, and the first one all there are.
  const rows = await query(connection, ofAll).catch(() => query(connection, ofCollations));
  return new Map(rows.map((row) => [Number(row['id']), String(row['charset'])]));
}

/** A privilege of the whole server is missing. */
export const ACCESS_DENIED = 1227;

/** A privilege on a schema, a table or a column is missing. */
export function isDenied(error: unknown): boolean {
  return [1044, 1142, 1143].includes((error as { errno?: number }).errno ?? 0);
}

/** The account as GRANT names it. */
export async function accountOf(connection: mysql.Connection): Promise<string> {
  const [row] = await query(connection, 'SELECT CURRENT_USER() AS account');
  const [user, host] = String(row?.['account']).split('@');
  return `'${user}'@'${host}'`;
}

/** Why the server refused the stream. */
export function refusedStream(error: unknown): {
  code: 'purged' | 'diverged' | 'unreadable' | 'denied' | 'unreachable';
} {
  const { errno, message = '' } = error as { errno?: number; message?: string };
  // 1236 is all that it says in numbers; 1945, 1951 and 1955 are GTIDs that its binlog does not have.
  if (errno === 1945 || errno === 1951 || errno === 1955) return { code: 'diverged' };
  if (errno === ACCESS_DENIED) return { code: 'denied' };
  if (errno !== 1236) return { code: 'unreachable' };
  if (/not in the master's binlog/.test(message)) return { code: 'diverged' };
  return { code: /purged|could not find first log/i.test(message) ? 'purged' : 'unreadable' };
}
