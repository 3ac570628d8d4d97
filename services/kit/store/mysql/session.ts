import mysql, { type Connection, type ConnectionOptions, type QueryOptions, type RowDataPacket } from 'mysql2/promise';
import { within } from './deadline.ts';

export interface Server {
  host: string;
  port: number;
  user: string;
  password: string;
  /** Over TLS, with the server's certificate checked against this authority, or those of the system. */
  ssl?: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined } | undefined;
  /** The server ends a session that has been silent for so long, and with it what that holds. */
  idleSeconds?: number;
}

/** Compares by bytes, and `a` is not `a `: as SQLite does. Each server reads the comment that is meant for it. */
export const COLLATION = '/*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */';

const CONNECT_MS = 10_000;
const STATEMENT_MS = 30_000;
const LOCK_SECONDS = 10;
/** Shorter than the lag at which services answer no more: by then another one has taken over from one that hangs. */
const IDLE_SECONDS = 6;

/** Doubles as they are: the driver's own way of reading short ones loses their last bit. A sum of integers is a decimal. */
const typeCast: NonNullable<ConnectionOptions['typeCast']> = (field, next) => {
  if (!['DOUBLE', 'NEWDECIMAL'].includes(field.type)) return next();
  const text = field.string();
  return text === null ? null : Number(text);
};

export function connectionOptions({ host, port, user, password, ssl }: Server): ConnectionOptions {
  return {
    ...{ host, port, user, password, typeCast },
    ...(ssl && { ssl }),
    charset: 'utf8mb4',
    timezone: 'Z',
    dateStrings: true,
    jsonStrings: true,
    supportBigNumbers: true,
    connectTimeout: CONNECT_MS,
  } as ConnectionOptions;
}

/** What every session begins with: a value that does not fit is refused, and no lock is waited for without an end. */
export function sessionSettings({ idleSeconds = IDLE_SECONDS }: Server, transactions = 'READ WRITE'): string[] {
  return [
    `SET NAMES utf8mb4 COLLATE ${COLLATION}`,
    `SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, ${transactions}`,
    `SET SESSION autocommit = 1, sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00',
       wait_timeout = ${idleSeconds}, lock_wait_timeout = ${LOCK_SECONDS}, innodb_lock_wait_timeout = ${LOCK_SECONDS},
       group_concat_max_len = 1073741824`,
  ];
}

/** A connection that is kept alive, with a deadline for each statement. It is never opened again behind one's back. */
export class Session {
  readonly #connection: Connection;
  readonly #lost = new AbortController();
  readonly #pulse: NodeJS.Timeout;
  #running = 0;

  private constructor(connection: Connection, idleSeconds: number) {
    this.#connection = connection;
    // The promised connection tells only some of it.
    for (const event of ['error', 'end']) connection.on(event as 'error', () => this.close());
    const beat = () => void (this.#running === 0 && this.query('DO 0', [], CONNECT_MS).catch(() => this.close()));
    this.#pulse = setInterval(beat, (idleSeconds * 1000) / 4).unref();
  }

  /** @throws the driver's error, or BNY-SERVICE-STORE-UNREACHABLE */
  static async open(server: Server): Promise<Session> {
    const connection = await mysql.createConnection(connectionOptions(server));
    const session = new Session(connection, server.idleSeconds ?? IDLE_SECONDS);
    try {
      for (const sql of sessionSettings(server)) await session.query(sql);
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** Aborts when the connection is lost or closed. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async query<R extends RowDataPacket[] | mysql.ResultSetHeader = RowDataPacket[]>(
    sql: string | QueryOptions,
    values: unknown[] = [],
    deadlineMs = STATEMENT_MS,
  ): Promise<R> {
    this.#running++;
    try {
      const asked = this.#connection.query<R>(sql as QueryOptions, values);
      const [result] = await within(deadlineMs, asked, () => this.close(), this.lost);
      return result;
    } catch (error) {
      if ((error as { fatal?: unknown }).fatal) this.close();
      throw error;
    } finally {
      this.#running--;
    }
  }

  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.query('START TRANSACTION');
    try {
      const result = await work();
      await this.query('COMMIT');
      return result;
    } catch (error) {
      // Where even that fails the server does it, at the end of the session.
      await this.query('ROLLBACK').catch(() => this.close());
      throw error;
    }
  }

  close(): void {
    clearInterval(this.#pulse);
    this.#lost.abort();
    this.#connection.destroy();
  }
}
