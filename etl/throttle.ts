import type { Connection, RowDataPacket } from 'mysql2/promise';

/** Why the monolith is too busy for the ETL just now: one of its status variables is over the limit. */
export async function overload(
  connection: Connection,
  { variable, limit }: { variable: string; limit: number },
): Promise<string | undefined> {
  const [rows] = await connection.query<RowDataPacket[]>({
    sql: 'SHOW GLOBAL STATUS WHERE Variable_name = ?',
    values: [variable],
    rowsAsArray: false,
  });
  const value = Number(rows[0]?.['Value']);
  if (Number.isNaN(value)) return `--max-load names ${variable}, which is no status variable of the server`;
  return value > limit ? `max-load ${variable}=${value} > ${limit}` : undefined;
}
