import { setTimeout as sleep } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import type { Logger } from 'pino';
import { cdcFault, connectionFault } from '../errors.ts';

export interface DatabaseAccess {
  host: string;
  port: number;
  user: string;
  password: string;
  /** The schema with Banyan's own tables. */
  banyanSchema: string;
}

/** A server that takes longer for one row is as good as gone. */
const BEAT_TIMEOUT_MS = 15_000;

/** A plain connection to the monolith's server, in UTC. @throws BNY-CDC-UNREACHABLE */
export async function connectTo({
  host,
  port,
  user,
  password,
}: Omit<DatabaseAccess, 'banyanSchema'>): Promise<mysql.Connection> {
  try {
    const connection = await mysql.createConnection({
      host,
      port,
      user,
      password,
      timezone: 'Z',
      supportBigNumbers: true,
      bigNumberStrings: true,
      dateStrings: true,
      charset: 'utf8mb4_bin',
      connectTimeout: 5000,
    });
    await connection.query("SET time_zone = '+00:00', lock_wait_timeout = 5, innodb_lock_wait_timeout = 5");
    return connection;
  } catch (error) {
    throw connectionFault(error, `${user}@${host}:${port}`);
  }
}

/**
 * The emitter's own connection: holds the lock that keeps a second emitter waiting, and writes the heartbeat. The lock
 * is a courtesy to operators; what makes two emitters safe is the log's fencing.
 */
export class EmitterDatabase {
  readonly #connection: mysql.Connection;
  readonly #heartbeat: string;
  readonly #schema: string;

  private constructor(connection: mysql.Connection, schema: string) {
    this.#connection = connection;
    this.#schema = schema;
    this.#heartbeat = `UPDATE \`${schema}\`.heartbeat SET beat = ? WHERE id = 1`;
  }

  /** Connects and waits for the lock, as long as it takes. */
  static async open(access: DatabaseAccess, signal: AbortSignal, logger: Logger): Promise<EmitterDatabase | undefined> {
    const connection = await connectTo(access);
    for (let waited = false; !signal.aborted; waited = true) {
      const [rows] = await connection.query<mysql.RowDataPacket[]>('SELECT GET_LOCK(?, 1) AS granted', [
        lockOf(access.banyanSchema),
      ]);
      if (Number(rows[0]?.['granted']) === 1) return new EmitterDatabase(connection, access.banyanSchema);
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
    const written = this.#connection.execute<mysql.ResultSetHeader>(this.#heartbeat, [Date.now()]);
    const late = sleep(BEAT_TIMEOUT_MS, undefined, { ref: false });
    const result = await Promise.race([written, late]);
    if (!result) {
      this.close();
      throw cdcFault('BNY-CDC-UNREACHABLE', { found: `no answer to the heartbeat within ${BEAT_TIMEOUT_MS / 1000} s` });
    }
    if (result[0].affectedRows === 1) return;
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

/** One emitter at a time for each installation; a server may hold several. */
function lockOf(schema: string): string {
  return `${schema}.emitter`;
}
