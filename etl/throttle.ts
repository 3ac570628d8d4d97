import type { Connection } from 'mysql2/promise';
import { query } from '../cdc/connection.ts';

/** Why the monolith is too busy for the ETL just now: one of its status variables is over the limit. */
export async function overload(
  connection: Connection,
  { variable, limit }: { variable: string; limit: number },
): Promise<string | undefined> {
  const sql = 'SHOW GLOBAL STATUS WHERE Variable_name = ?';
  const [row] = await query(connection, { sql, rowsAsArray: false }, [variable]);
  const value = Number(row?.['Value']);
  if (Number.isNaN(value)) return `--max-load names ${variable}, which is no status variable of the server`;
  return value > limit ? `max-load ${variable}=${value} > ${limit}` : undefined;
}

/**
 * Why the user's own query says that the ETL must wait: its first value is a number above 0, as with gh-ost's throttle
 * query. A query that the server refuses or that gives no number counts as a reason too: better to wait than to hurt.
 */
export async function throttledBy(connection: Connection, sql: string): Promise<string | undefined> {
  try {
    const [row] = await query(connection, { sql, rowsAsArray: true });
    const value = (row as unknown as unknown[] | undefined)?.[0];
    const number = value === null || value === undefined ? Number.NaN : Number(value);
    if (Number.isNaN(number)) return 'etl.throttleQuery gives no number';
    return number > 0 ? `etl.throttleQuery gives ${number}` : undefined;
  } catch (error) {
    // Without a state it is no answer of the server's: the connection is lost, and waiting on it would never end.
    const { fatal, sqlState } = error as { fatal?: boolean; sqlState?: string };
    if (fatal || !sqlState) throw error;
    return `etl.throttleQuery fails: ${(error as Error).message}`;
  }
}
