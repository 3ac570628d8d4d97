import type { MariadbGtidEvent } from '@vlasky/zongji';
import { Dump } from '../binlog/dump.ts';
import { GTID, QUERY, QUERY_COMPRESSED } from '../binlog/event-types.ts';
import { settingsOf } from '../binlog/options.ts';
import { queryOf } from '../binlog/query-event.ts';
import { type Account, query } from '../connection.ts';
import { KeptConnection } from '../kept-connection.ts';
import type { LoggedStatement } from '../statements/classify.ts';
import type { DebeziumOptions } from './options.ts';
import { type Gtid, newestOf } from './position.ts';
import type { Unexplained } from './transactions.ts';

/** Asks the monolith's server, on a connection that is kept open. */
export class Server {
  readonly #connection: KeptConnection;

  constructor(account: Account) {
    this.#connection = new KeptConnection(account);
  }

  /** The newest transaction in the binlog. @throws BNY-CDC-SETTINGS, BNY-CDC-UNREACHABLE, BNY-CDC-ACCESS */
  async newest(): Promise<Gtid> {
    return newestOf(await this.#variable('gtid_binlog_pos'));
  }

  /** How names of schemas and tables compare. */
  async fold(): Promise<(name: string) => string> {
    const setting = await this.#variable('lower_case_table_names');
    return setting === '0' ? (name) => name : (name) => name.toLowerCase();
  }

  async #variable(name: string): Promise<string> {
    const [row] = await this.#connection.ask((connection) => query(connection, `SELECT @@GLOBAL.${name} AS value`));
    return String(row?.['value'] ?? '');
  }

  close(): void {
    this.#connection.close();
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
