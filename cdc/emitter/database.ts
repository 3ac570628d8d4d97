import type { Connection, ResultSetHeader } from 'mysql2/promise';
import type { Logger } from 'pino';
import { type Account, connect, query } from '../connection.ts';
import { cdcFault } from '../errors.ts';

export interface DatabaseAccess extends Account {
  /** The schema with Banyan's own tables. */
  banyanSchema: string;
}

/** A server that takes longer for one row is as good as gone. */
const BEAT_TIMEOUT_MS = 15_000;

/**
 * The emitter's own connection: holds the lock that keeps a second emitter of the same installation waiting, and writes
 * the heartbeat. The lock is a courtesy to operators; what makes two emitters safe is the log's fencing.
 */
export class EmitterDatabase {
  readonly #connection: Connection;
  readonly #heartbeat: string;
  readonly #schema: string;

  private constructor(connection: Connection, schema: string) {
    this.#connection = connection;
    this.#schema = schema;
    this.#heartbeat = `UPDATE \`${schema}\`.heartbeat SET beat = ? WHERE id = 1`;
  }

  /** Connects and waits for the lock, as long as it takes. */
  static async open(access: DatabaseAccess, signal: AbortSignal, logger: Logger): Promise<EmitterDatabase | undefined> {
    const connection = await connect(access);
    await query(connection, 'SET lock_wait_timeout = 5, innodb_lock_wait_timeout = 5');
    for (let waited = false; !signal.aborted; waited = true) {
      const lock = [`${access.banyanSchema}.emitter`];
      const [row] = await query(connection, 'SELECT GET_LOCK(?, 1) AS granted', lock);
      if (Number(row?.['granted']) === 1) return new EmitterDatabase(connection, access.banyanSchema);
      if (!waited) logger.info('another emitter is running; waiting for its end');
    }
    connection.destroy();
    return undefined;
  }

  /**
   * Writes the heartbeat row: it comes back through the stream, with everything that was committed before it.
   *
   * @throws BNY-CDC-SETTINGS when there is no such row, BNY-CDC-UNREACHABLE when it takes too long
   */
  async beat(): Promise<void> {
    const { affectedRows } = await query<ResultSetHeader>(
      this.#connection,
      this.#heartbeat,
      [Date.now()],
      BEAT_TIMEOUT_MS,
    );
    if (affectedRows === 1) return;
    const table = `\`${this.#schema}\`.heartbeat`;
    throw cdcFault('BNY-CDC-SETTINGS', {
      found: `no row in ${table}`,
      needed: 'the row with id 1',
      cure: 'Run `banyan install` again.',
    });
  }

  close(): void {
    this.#connection.destroy();
  }
}
