import mysql from 'mysql2/promise';
import type { Logger } from 'pino';
import { connectionFault } from '../errors.ts';

export interface DatabaseAccess {
  host: string;
  port: number;
  user: string;
  password: string;
  /** The schema with Banyan's own tables. */
  banyanSchema: string;
}

const LOCK = 'banyan.emitter';

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

  private constructor(connection: mysql.Connection, schema: string) {
    this.#connection = connection;
    this.#heartbeat = `UPDATE \`${schema}\`.heartbeat SET beat = ? WHERE id = 1`;
  }

  /** Connects and waits for the lock, as long as it takes. */
  static async open(access: DatabaseAccess, signal: AbortSignal, logger: Logger): Promise<EmitterDatabase | undefined> {
    const connection = await connectTo(access);
    for (let waited = false; !signal.aborted; waited = true) {
      const [rows] = await connection.query<mysql.RowDataPacket[]>('SELECT GET_LOCK(?, 1) AS granted', [LOCK]);
      if (Number(rows[0]?.['granted']) === 1) return new EmitterDatabase(connection, access.banyanSchema);
      if (!waited) logger.info('another emitter is running; waiting for its end');
    }
    connection.destroy();
    return undefined;
  }

  /** Writes the heartbeat row: it comes back through the stream, with everything that was committed before it. */
  async beat(): Promise<void> {
    await this.#connection.execute(this.#heartbeat, [Date.now()]);
  }

  close(): void {
    this.#connection.destroy();
  }
}
