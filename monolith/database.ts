import { setTimeout as sleep } from 'node:timers/promises';
import knex, { type Knex } from 'knex';
import { busy, taken } from './errors.ts';

export interface DatabaseOptions {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
}

/** Dates come as the strings that are stored; TIMESTAMP columns speak UTC; JSON columns come as text. */
export function connect(options: DatabaseOptions): Knex {
  const connection = { ...options, charset: 'utf8mb4', dateStrings: true, supportBigNumbers: true, jsonStrings: true };
  return knex({
    client: 'mysql2',
    connection,
    pool: {
      min: 0,
      max: 10,
      afterCreate(connection: { query(sql: string, done: (error: unknown) => void): void }, done: () => void) {
        connection.query("SET time_zone = '+00:00', innodb_lock_wait_timeout = 5", done);
      },
    },
    acquireConnectionTimeout: 10_000,
  });
}

export function databaseFromEnvironment(env = process.env): DatabaseOptions {
  return {
    host: env['DATABASE_HOST'] ?? '127.0.0.1',
    port: Number(env['DATABASE_PORT'] ?? 3306),
    user: env['DATABASE_USER'] ?? 'root',
    password: env['DATABASE_PASSWORD'] ?? '',
    database: env['DATABASE_NAME'] ?? 'monolith',
  };
}

const ATTEMPTS = 6;

/** Runs `work` in a transaction, again when it was a deadlock's victim. `work` must use nothing but its transaction. */
export async function transact<T>(db: Knex, work: (trx: Knex.Transaction) => Promise<T>): Promise<T> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      return await db.transaction(work);
    } catch (error) {
      if (!isDeadlock(error)) throw error;
      await sleep(Math.random() * 10 * attempt);
    }
  }
  throw busy();
}

const errno = (error: unknown) => (error as { errno?: unknown } | null)?.errno;

const isDeadlock = (error: unknown) => errno(error) === 1213;

/** A lock or a connection was waited for too long. */
export const isTimeout = (error: unknown) =>
  errno(error) === 1205 || (error instanceof Error && error.name === 'KnexTimeoutError');

/** For a unique column: what to do about an insert that failed. */
export const orTaken = (what: string) => (error: unknown) => {
  throw errno(error) === 1062 ? taken(what) : error;
};
