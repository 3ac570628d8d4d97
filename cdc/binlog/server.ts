import type { Connection } from 'mysql2/promise';
import { query } from '../connection.ts';
import { cdcFault } from '../errors.ts';
import { fileNumber } from './position.ts';

/** What is asked of MariaDB and would be asked of MySQL in other words. Everything of the server's flavour stands here. */

/** Variables by name; absent where the server does not know them. */
export async function variables(connection: Connection): Promise<ReadonlyMap<string, string>> {
  const rows = await query(connection, 'SHOW GLOBAL VARIABLES');
  return new Map(rows.map((row) => [String(row['Variable_name']).toLowerCase(), String(row['Value'])]));
}

export async function masterStatus(connection: Connection): Promise<{ file: number; offset: number }> {
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

export async function serverFacts(connection: Connection): Promise<ServerFacts> {
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
async function charsets(connection: Connection): Promise<ReadonlyMap<number, string>> {
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
export async function accountOf(connection: Connection): Promise<string> {
  const [row] = await query(connection, 'SELECT CURRENT_USER() AS account');
  const account = String(row?.['account']);
  const at = account.lastIndexOf('@');
  return `'${account.slice(0, at)}'@'${account.slice(at + 1)}'`;
}

/** Why the server refused or ended the stream. */
export function refusedStream(error: unknown): 'purged' | 'diverged' | 'unreadable' | 'other' {
  const { errno, message = '' } = error as { errno?: number; message?: string };
  // 1236 is all that it says in numbers; the others are GTIDs that its binlog does not have.
  if (errno === 1945 || errno === 1951 || errno === 1955) return 'diverged';
  if (errno !== 1236) return 'other';
  if (/not in the master's binlog/.test(message)) return 'diverged';
  return /purged|could not find first log/i.test(message) ? 'purged' : 'unreadable';
}
