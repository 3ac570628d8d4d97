import type { MariadbGtidEvent } from '@vlasky/zongji';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { Dump } from '../binlog/dump.ts';
import { GTID, QUERY, QUERY_COMPRESSED } from '../binlog/event-types.ts';
import { settingsOf } from '../binlog/options.ts';
import { queryOf } from '../binlog/query-event.ts';
import { type Account, connect, query } from '../connection.ts';
import { connectionFault } from '../errors.ts';
import type { LoggedStatement } from '../statements/classify.ts';
import type { DebeziumOptions } from './options.ts';
import { type Gtid, newestOf } from './position.ts';
import type { Unexplained } from './transactions.ts';

/** Asks the monolith's server, on a connection that is kept open. */
export class Server {
  readonly #account: Account;
  #connection: Promise<Connection> | undefined;

  constructor(account: Account) {
    this.#account = account;
  }

  /** The newest transaction in the binlog. @throws BNY-CDC-SETTINGS, BNY-CDC-UNREACHABLE, BNY-CDC-ACCESS */
  async newest(): Promise<Gtid> {
    const [row] = await this.#ask('SELECT @@GLOBAL.gtid_binlog_pos AS gtid');
    return newestOf(String(row?.['gtid'] ?? ''));
  }

  /** How names of schemas and tables compare. */
  async fold(): Promise<(name: string) => string> {
    const [row] = await this.#ask('SELECT @@GLOBAL.lower_case_table_names AS setting');
    return Number(row?.['setting']) === 0 ? (name) => name : (name) => name.toLowerCase();
  }

  async #ask(sql: string): Promise<RowDataPacket[]> {
    const reused = this.#connection !== undefined;
    this.#connection ??= connect(this.#account);
    const connection = this.#connection;
    try {
      return await query(await connection, sql);
    } catch (error) {
      const fault = connectionFault(error, this.#account);
      // Others may ask on a newer one by now.
      if (this.#connection === connection) this.close();
      // A connection that was idle for long may have been closed by the server.
      if (reused && fault.retryable) return await this.#ask(sql);
      throw fault;
    }
  }

  close(): void {
    this.#connection?.then((connection) => connection.destroy()).catch(() => {});
    this.#connection = undefined;
  }
}

const DEADLINE_MS = 5000;

/** What the server's binlog says of one GTID: `statement` when it is a mere statement, without rows. */
export interface LookedUp {
  statement: LoggedStatement | undefined;
}

/** Undefined when the server does not tell: its binlog from there on may be purged. */
export function lookUp(options: DebeziumOptions, { before, gtid }: Unexplained): Promise<LookedUp | undefined> {
  const { connection, schema, tables } = options;
  return new Promise((resolve) => {
    const end = (found: LookedUp | undefined) => {
      clearTimeout(deadline);
      dump.close();
      resolve(found);
    };
    const deadline = setTimeout(() => end(undefined), DEADLINE_MS);
    const dump = new Dump(settingsOf({ connection, schema, tables }), before, {
      onEvent(event) {
        if (event.type === GTID) {
          const found = event.parse<MariadbGtidEvent>();
          if (found.gtid !== gtid) end(undefined);
          else if (!found.standalone) end({ statement: undefined });
        } else if (event.type === QUERY || event.type === QUERY_COMPRESSED) {
          end({ statement: queryOf(event) });
        }
      },
      onError: () => end(undefined),
    });
  });
}
