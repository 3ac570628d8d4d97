import type { Connection } from 'mysql2/promise';
import { connect } from '../connection.ts';
import { connectionFault } from '../errors.ts';
import type { Position } from '../types.ts';
import type { Settings } from './options.ts';
import { formatPosition } from './position.ts';
import { masterStatus } from './server.ts';

/** Asks for the end of the binlog, on a connection of its own that is kept open. */
export class Head {
  readonly #settings: Settings;
  #connection: Promise<Connection> | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  async position(): Promise<Position> {
    const reused = this.#connection !== undefined;
    this.#connection ??= connect(this.#settings.connection);
    const connection = this.#connection;
    try {
      const { file, offset } = await masterStatus(await connection);
      return formatPosition(file, offset);
    } catch (error) {
      const fault = connectionFault(error, this.#settings.connection);
      // Others may ask on a newer one by now.
      if (this.#connection === connection) this.close();
      // A connection that was idle for long may have been closed by the server.
      if (reused && fault.retryable) return await this.position();
      throw fault;
    }
  }

  close(): void {
    this.#connection?.then((connection) => connection.destroy()).catch(() => {});
    this.#connection = undefined;
  }
}
