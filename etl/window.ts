import type { Change, Row, Value } from '../cdc/index.ts';

const MAX_KEYS = 100_000;

/**
 * One chunk of a table between its two watermarks. Algorithm: DBLog (Andreakis and Papapanagiotou, 2020,
 * arXiv:2010.12597): a row that changes between the watermarks is dropped, because its event carries the whole row and
 * stands in the log before the chunk does.
 *
 * Keys are compared by their canonical bytes. That suffices under any collation: what the chunk can have read of a row
 * is the image before one of its changes in the window or after one, and both stand in the change.
 */
export class Window {
  readonly id: string;
  readonly table: string;
  /** Set by the reader before it writes the high watermark. */
  rows: { key: Value[]; row: Row }[] = [];
  /** The table ends with this chunk. */
  last = false;
  #open = false;
  #byKey = new Map<string, Row | undefined>();

  constructor(id: string, table: string) {
    this.id = id;
    this.table = table;
  }

  /** The low watermark has passed. */
  open(): void {
    this.#open = true;
  }

  /**
   * A change has passed. Where it became an event, the event stands for the row; where it did not (the capture had no
   * use for it), the row's newest state takes the place of the one that was read.
   */
  pass({ kind, key, after }: Change, emitted: boolean): void {
    if (!this.#open) return;
    this.#byKey.set(JSON.stringify(key), emitted || kind === 'delete' ? undefined : after);
  }

  /** More keys have changed than a window may remember. */
  get isFull(): boolean {
    return this.#byKey.size > MAX_KEYS;
  }

  /** The high watermark has passed: what is left to seed, in key order. */
  close(): Change[] {
    const seeds: Change[] = [];
    for (const { key, row } of this.rows) {
      const identity = JSON.stringify(key);
      const after = this.#byKey.size > 0 && this.#byKey.has(identity) ? this.#byKey.get(identity) : row;
      if (after) seeds.push({ table: this.table, kind: 'seed', key, after });
    }
    return seeds;
  }
}
