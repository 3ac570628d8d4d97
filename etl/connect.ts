import mysql, { type Connection } from 'mysql2/promise';
import { connectionFault } from '../cdc/errors.ts';
import { SELECT_OPTIONS, SELECT_SESSION } from '../cdc/values/select.ts';

export interface SeedAccess {
  host: string;
  port: number;
  user: string;
  password: string;
}

/** A connection that reads rows without loss. @throws BNY-CDC-UNREACHABLE */
export async function connectForSeed({ host, port, user, password }: SeedAccess): Promise<Connection> {
  try {
    const connection = await mysql.createConnection({
      host,
      port,
      user,
      password,
      connectTimeout: 5000,
      ...SELECT_OPTIONS,
    });
    await connection.query(SELECT_SESSION);
    return connection;
  } catch (error) {
    throw connectionFault(error, `${user}@${host}:${port}`);
  }
}
