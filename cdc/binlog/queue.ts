import { setImmediate } from 'node:timers/promises';
import type { Transaction } from '../types.ts';

/** A batch is full with any of these. */
const BATCH = { transactions: 500, changes: 5_000, bytes: 16 * 2 ** 20 };
/** The stream is paused when the queue holds more than this many batches' worth. */
const PAUSE_AT = 2;

interface Queued {
  transaction: Transaction;
  bytes: number;
}

/**
 * Between the stream, which pushes, and the reader, which takes batches. Bounded: asks the stream to pause when it holds
 * two full batches, and to go on when less than one is left. Empty transactions are kept only as the newest of all.
 */
export class TransactionQueue {
  #items: Queued[] = [];
  #next = 0;
  #marker: Transaction | undefined;
  #changes = 0;
  #bytes = 0;
  #failure: unknown;
  #wake: (() => void) | undefined;
  readonly #flow: { pause(): void; resume(): void };

  constructor(flow: { pause(): void; resume(): void }) {
    this.#flow = flow;
  }

  push(transaction: Transaction, bytes: number): void {
    if (transaction.changes.length === 0 && transaction.disturbances.length === 0 && transaction.part === 0) {
      this.#marker = transaction;
    } else {
      this.#marker = undefined;
      this.#items.push({ transaction, bytes });
      this.#changes += transaction.changes.length;
      this.#bytes += bytes;
      if (this.#fullness() >= PAUSE_AT) this.#flow.pause();
    }
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  /** Ends a wait; for an abort. */
  wake(): void {
    this.#wake?.();
  }

  /** What has arrived, at most one batch; waits only while there is nothing. Undefined once `signal` is aborted. */
  async take(signal: AbortSignal): Promise<Transaction[] | undefined> {
    while (!signal.aborted) {
      const batch = this.#batch();
      if (batch.length > 0) return batch;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      // A socket gives 64 kB at a time: what else stands in it already is read in this turn, and is in the batch too.
      await setImmediate();
    }
    return undefined;
  }

  #batch(): Transaction[] {
    const batch: Transaction[] = [];
    let [changes, bytes] = [0, 0];
    while (this.#next < this.#items.length && batch.length < BATCH.transactions) {
      const item = this.#items[this.#next] as Queued;
      changes += item.transaction.changes.length;
      bytes += item.bytes;
      if (batch.length > 0 && (changes > BATCH.changes || bytes > BATCH.bytes)) break;
      batch.push(item.transaction);
      this.#changes -= item.transaction.changes.length;
      this.#bytes -= item.bytes;
      this.#next++;
    }
    if (this.#next === this.#items.length && this.#marker) {
      batch.push(this.#marker);
      this.#marker = undefined;
    }
    if (this.#next === this.#items.length || this.#next > BATCH.transactions) {
      this.#items.splice(0, this.#next);
      this.#next = 0;
    }
    if (this.#fullness() < 1) this.#flow.resume();
    return batch;
  }

  /** How many batches' worth it holds. */
  #fullness(): number {
    const transactions = this.#items.length - this.#next;
    return Math.max(transactions / BATCH.transactions, this.#changes / BATCH.changes, this.#bytes / BATCH.bytes);
  }
}
