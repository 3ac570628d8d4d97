import { fileURLToPath } from 'node:url';
import mysql, { type Connection } from 'mysql2/promise';
import type { Mariadb } from '../../lib/mariadb.ts';
import type { Part, Workshop } from '../workshop.ts';
import { LogWatch } from './log-watch.ts';
import { createTables } from './tables.ts';

const CONFIG = fileURLToPath(new URL('./banyan.config.ts', import.meta.url));

/** A database with the shop's tables, and Banyan's command line on it. */
export class Shop {
  readonly mariadb: Mariadb;
  /** Of the shop's own account; what it writes is not in the binlog until `logged`. */
  readonly connection: Connection;
  readonly #workshop: Workshop;
  readonly #settings: NodeJS.ProcessEnv;

  private constructor(workshop: Workshop, mariadb: Mariadb, connection: Connection, settings: NodeJS.ProcessEnv = {}) {
    this.#settings = settings;
    this.#workshop = workshop;
    this.mariadb = mariadb;
    this.connection = connection;
  }

  static async open(workshop: Workshop): Promise<Shop> {
    const mariadb = await workshop.mariadb();
    const { host, port, user, password } = mariadb;
    const connection = await mysql.createConnection({ host, port, user, password, charset: 'utf8mb4' });
    workshop.defer(async () => connection.destroy());
    await connection.query('SET sql_log_bin = 0');
    await createTables(connection);
    const shop = new Shop(workshop, mariadb, connection);
    await shop.banyan('install', 'install', '--yes');
    return shop;
  }

  /** The same shop, with other settings for the command line. */
  on(settings: NodeJS.ProcessEnv): Shop {
    return new Shop(this.#workshop, this.mariadb, this.connection, settings);
  }

  /** From now on what is written is in the binlog. */
  async logged(): Promise<void> {
    await this.connection.query('SET sql_log_bin = 1');
  }

  /** Runs a command to its end on the data folder of that name. */
  async banyan(data: string, ...args: string[]): Promise<void> {
    await this.#command(data, args).output();
  }

  /** Starts an emitter and waits until it follows the binlog. */
  async emitter(data: string): Promise<{ part: Part; watch: LogWatch }> {
    const watch = new LogWatch(this.#workshop.path(data, 'log.sqlite'));
    this.#workshop.defer(() => watch.close());
    const part = this.#command(data, ['emit'], true);
    await watch.emitterIsLive(part);
    return { part, watch };
  }

  /** Starts an emitter without waiting for anything. */
  startEmitter(data: string): Part {
    return this.#command(data, ['emit'], true);
  }

  #command(data: string, args: string[], profiled = false): Part {
    const env = {
      BANYAN_DATA: this.#workshop.path(data),
      BANYAN_MONOLITH_DATABASE_PORT: String(this.mariadb.port),
      BANYAN_MONOLITH_DATABASE_PASSWORD: 'a password for banyan',
      BANYAN_ADMIN_PASSWORD: this.mariadb.password,
      BANYAN_LOG_LEVEL: process.env['BANYAN_LOG_LEVEL'] ?? 'warn',
      ...this.#settings,
    };
    return this.#workshop.node('cli/main.ts', [...args, '--config', CONFIG], { env, profiled });
  }
}
