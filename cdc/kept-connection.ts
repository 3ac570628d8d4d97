import type { Connection } from 'mysql2/promise';
import { type Account, connect } from './connection.ts';
import { connectionFault } from './errors.ts';

/** A connection to the monolith's server that is opened at the first question and kept open. */
export class KeptConnection {
  readonly #account: Account;
  #connection: Promise<Connection> | undefined;

  constructor(account: Account) {
    this.#account = account;
  }

  /** @throws BNY-CDC-UNREACHABLE, BNY-CDC-ACCESS, and what `question` throws of our own */
  async ask<T>(question: (connection: Connection) => Promise<T>): Promise<T> {
    const reused = this.#connection !== undefined;
    this.#connection ??= connect(this.#account);
    const connection = this.#connection;
    try {
      return await question(await connection);
    } catch (error) {
      const fault = connectionFault(error, this.#account);
      // Others may ask on a newer one by now.
      if (this.#connection === connection) this.close();
      // A connection that was idle for long may have been closed by the server.
      if (reused && fault.retryable) return await this.ask(question);
      throw fault;
    }
  }

  close(): void {
    this.#connection?.then((connection) => connection.destroy()).catch(() => {});
    this.#connection = undefined;
  }
}
