import type { LoggedEvent } from '../types.ts';
import { clusterFault } from './errors.ts';

/** An event and who appended it; posted ones have no writer. */
export interface Written {
  event: LoggedEvent;
  writer: string;
}

/**
 * Puts the events of a topic back into the order in which their writer appended them, over all partitions, by the
 * sequence numbers, and notices what is missing. Within a partition they come in that order already; an event waits here
 * until all before it have come from the other partitions.
 */
export class WriterOrder {
  readonly #topic: string;
  readonly #waiting: Written[][];
  /** Writer → the sequence number that comes next. */
  readonly #next = new Map<string, number>();
  readonly #fromStart: boolean;
  readonly #unknown: boolean;

  /** @param applied the events at the cursors, none: from the start; undefined: unknown, and then there is no order */
  constructor(topic: string, partitions: number, applied: readonly Written[] | undefined) {
    this.#topic = topic;
    this.#waiting = Array.from({ length: partitions }, () => []);
    this.#unknown = applied === undefined;
    this.#fromStart = applied?.length === 0;
    for (const { event, writer } of applied ?? []) {
      this.#next.set(writer, Math.max(this.#next.get(writer) ?? 0, event.sequence + 1));
    }
  }

  add(written: Written): void {
    this.#waiting[written.event.partition]?.push(written);
  }

  /** How many events of this partition wait for others. */
  ahead(partition: number): number {
    return this.#waiting[partition]?.length ?? 0;
  }

  /** What can be delivered now. @throws BNY-LOG-GAP */
  take(): LoggedEvent[] {
    const events: LoggedEvent[] = [];
    for (let queue = this.#due(); queue; queue = this.#due()) {
      const { event, writer } = queue.shift() as Written;
      this.#next.set(writer, event.sequence + 1);
      events.push(event);
    }
    if (this.#waiting.every((queue) => queue.length > 0)) {
      const heads = this.#waiting.map(([head]) => `${head?.event.sequence} at offset ${head?.event.offset}`);
      const needed = [...this.#next].map(([writer, next]) => `${next} of ${writer}`).join(', ');
      throw clusterFault('BNY-LOG-GAP', { found: `${this.#topic}: ${heads.join(', ')}`, needed: needed || '0' });
    }
    return events;
  }

  #due(): Written[] | undefined {
    return this.#waiting.find(([head]) => {
      if (!head) return false;
      if (this.#unknown || head.writer === '') return true;
      const next = this.#next.get(head.writer) ?? (this.#fromStart ? 0 : head.event.sequence);
      return head.event.sequence === next;
    });
  }
}
