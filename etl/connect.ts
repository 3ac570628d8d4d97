import type { Connection } from 'mysql2/promise';
import { type Account, connect } from '../cdc/connection.ts';
import { SELECT_OPTIONS, SELECT_SESSION } from '../cdc/values/select.ts';

/** A connection that reads rows in the form that `compileSelect` wants. @throws BNY-CDC-UNREACHABLE, BNY-CDC-ACCESS */
export function connectForSeed(account: Account): Promise<Connection> {
  return connect(account, SELECT_OPTIONS, [SELECT_SESSION]);
}
