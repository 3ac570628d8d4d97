import type { Connection } from 'mysql2/promise';
import { type Account, connect, query } from '../cdc/connection.ts';
import { SELECT_OPTIONS, SELECT_SESSION } from '../cdc/values/select.ts';

/** A connection that reads rows in the form that `compileSelect` wants. @throws BNY-CDC-UNREACHABLE, BNY-CDC-ACCESS */
export async function connectForSeed(account: Account): Promise<Connection> {
  const connection = await connect(account, SELECT_OPTIONS);
  await query(connection, SELECT_SESSION);
  return connection;
}
