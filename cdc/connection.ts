import mysql, { type Connection, type ConnectionOptions, type RowDataPacket } from 'mysql2/promise';
import { cdcFault, connectionFault, refuseAnonymous } from './errors.ts';

export type Account = Pick<ConnectionOptions, 'host' | 'port' | 'user' | 'password'> & {
  /** TLS, with certificates as PEM; without an authority those of the system. */
  ssl?: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined } | undefined;
};

const DEADLINE_MS = 10_000;

/**
 * A connection to the monolith's server that gives what is stored without loss: times as they stand, big numbers as
 * text. `session`: statements that it begins with.
 *
 * @throws BNY-CDC-UNREACHABLE, BNY-CDC-ACCESS
 */
export async function connect(
  account: Account,
  options: ConnectionOptions = {},
  session: readonly string[] = [],
): Promise<Connection> {
  const { host, port, user, password, ssl } = account;
  let connection: Connection | undefined;
  try {
    connection = await mysql.createConnection({
      ...{ host, port, user, password },
      ...(ssl && { ssl }),
      charset: 'utf8mb4',
      timezone: 'Z',
      dateStrings: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
      connectTimeout: DEADLINE_MS,
      ...options,
    } as ConnectionOptions);
    const [row] = await query(connection, { sql: 'SELECT CURRENT_USER() AS account', rowsAsArray: false });
    refuseAnonymous(String(row?.['account']), account);
    // A server whose default it is not would keep heartbeats and watermarks to itself.
    for (const sql of ['SET SESSION autocommit = 1', ...session]) await query(connection, sql);
    return connection;
  } catch (error) {
    connection?.destroy();
    throw connectionFault(error, account);
  }
}

/**
 * A query with a deadline: a server that hangs counts as one that does not answer, and the connection is given up. The
 * driver's own time-out would keep its timer when the connection is lost, and with it the process.
 *
 * @throws BNY-CDC-UNREACHABLE when the deadline passes; the driver's error otherwise
 */
export async function query<Result extends RowDataPacket[] | mysql.ResultSetHeader = RowDataPacket[]>(
  connection: Connection,
  sql: string | mysql.QueryOptions,
  values: unknown[] = [],
  deadlineMs = DEADLINE_MS,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      connection.destroy();
      reject(cdcFault('BNY-CDC-UNREACHABLE', { found: `no answer within ${deadlineMs / 1000} s` }));
    }, deadlineMs);
  });
  try {
    const [result] = await Promise.race([connection.query<Result>(sql as mysql.QueryOptions, values), deadline]);
    return result;
  } finally {
    clearTimeout(timer);
  }
}
