import type { Connection } from 'mysql2/promise';
import { BanyanError } from '../../log/errors.ts';
import type { Position } from '../types.ts';
import type { Settings } from './options.ts';
import { formatPosition } from './position.ts';
import { connectTo, masterStatus, unreachable } from './server.ts';

/** Asks for the end of the binlog, on a connection of its own that is kept open. */
export class Head {
  readonly #settings: Settings;
  #connection: Promise<Connection> | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  async position(): Promise<Position> {
    const reused = this.#connection !== undefined;
    try {
      return await this.#ask();
    } catch (error) {
      if (BanyanError.is(error) && !error.retryable) throw error;
      this.close();
      // One that was idle for long may have been closed by the server.
      if (reused) return await this.#ask();
      throw BanyanError.is(error) ? error : unreachable(error);
    }
  }

  close(): void {
    this.#connection?.then((connection) => connection.destroy()).catch(() => {});
    this.#connection = undefined;
  }

  async #ask(): Promise<Position> {
    this.#connection ??= connectTo(this.#settings);
    const { file, offset } = await masterStatus(await this.#connection);
    return formatPosition(file, offset);
  }
}
