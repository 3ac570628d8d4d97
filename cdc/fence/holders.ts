import type { Connection, RowDataPacket } from 'mysql2/promise';
import { query } from '../connection.ts';

/**
 * The sessions that keep a table's definition locked; as far as the server shows them, and never what they run: that
 * holds values. Without the plugin `metadata_lock_info` those with an open transaction, one of which it may be.
 */
export async function lockHolders(connection: Connection, schema: string, table: string): Promise<string> {
  try {
    const holders = await query(connection, { sql: OF_TABLE, rowsAsArray: false }, [schema, table]);
    if (holders.length > 0) return `held by ${holders.map(name).join(', ')}`;
  } catch (error) {
    if ((error as { errno?: number }).errno !== UNKNOWN_TABLE) throw error;
    const open = await query(connection, { sql: OPEN, rowsAsArray: false });
    if (open.length > 0) return `open transactions: ${open.map(name).join(', ')}`;
  }
  return "held by a session that cannot be seen; INSTALL SONAME 'metadata_lock_info' shows more";
}

const UNKNOWN_TABLE = 1109;

const OPEN = `SELECT p.ID AS id, p.USER AS user, p.HOST AS host, TIMESTAMPDIFF(SECOND, t.trx_started, NOW()) AS seconds
  FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id
  WHERE p.ID <> CONNECTION_ID() ORDER BY t.trx_started`;

const OF_TABLE = `SELECT DISTINCT p.ID AS id, p.USER AS user, p.HOST AS host,
    TIMESTAMPDIFF(SECOND, t.trx_started, NOW()) AS seconds
  FROM information_schema.METADATA_LOCK_INFO l JOIN information_schema.PROCESSLIST p ON p.ID = l.THREAD_ID
  LEFT JOIN information_schema.INNODB_TRX t ON t.trx_mysql_thread_id = p.ID
  WHERE p.ID <> CONNECTION_ID() AND l.TABLE_SCHEMA = ? AND l.TABLE_NAME = ?`;

function name({ id, user, host, seconds }: RowDataPacket): string {
  const since = seconds === null ? '' : `, in a transaction for ${seconds} s`;
  return `session ${id} (${user}@${host}${since})`;
}
