import type { Account } from '../connection.ts';
import type { CapturedTables } from '../types.ts';

export interface BinlogSourceOptions {
  connection: Account;
  /** The monolith's schema. */
  schema: string;
  tables: CapturedTables;
  /** Banyan's own tables in a schema of their own; their changes name them `schema.table`. */
  alsoFollow?: { schema: string; tables: CapturedTables };
  /** A transaction with more changes than this, or with 8 MB of row images, comes in parts. */
  maxPartChanges?: number;
  /** Must differ from that of every replica of the server. Chosen at random when not given. */
  serverId?: number;
  /** How often an idle server is to say that it is there. */
  heartbeatMs?: number;
  /** A connection that is silent for this long, at most twice as long, counts as lost; well beyond `heartbeatMs`. */
  silenceMs?: number;
  logger?: { warn(facts: object, message: string): void };
}

export type Settings = Required<Omit<BinlogSourceOptions, 'alsoFollow' | 'logger'>> &
  Pick<BinlogSourceOptions, 'alsoFollow' | 'logger'>;

export function settingsOf(options: BinlogSourceOptions): Settings {
  return {
    maxPartChanges: 5_000,
    serverId: 2 ** 31 + Math.floor(Math.random() * 2 ** 30),
    heartbeatMs: 5_000,
    silenceMs: 30_000,
    ...options,
  };
}
