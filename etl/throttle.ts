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
