import type { Change, Disturbance } from '../types.ts';
import { debeziumFault } from './errors.ts';
import type { Gtid } from './position.ts';
import type { Place, RowRecord } from './record.ts';
import type { Counted, Unfinished } from './resume.ts';

/** Parts are cut by size too: large rows would make them too large to hold. */
const PART_BYTES = 32 * 2 ** 20;
const NOTHING: Counted = { changes: 0, order: 0, restarted: false, place: null };

/**
 * One transaction between its BEGIN and its END, cut in parts. Connect writes again what it wrote since its last saved
 * offset when it was killed, and Debezium can go on in the middle of a transaction: it then says BEGIN again and counts
 * from 1 again. So a row is known by its place in the binlog, and counted from one BEGIN to the next.
 */
export class Group {
  readonly gtid: Gtid;
  readonly limit: number;
  /** Seconds since 1970, of what was read last. */
  at: number;
  part: number;
  changes: Change[] = [];
  disturbances: Disturbance[] = [];
  /** Debezium has said something about whole tables. */
  hasStatement = false;
  /** Since its BEGIN. */
  heartbeats = 0;
  /** The first half of a changed key, which waits for the second: no part ends between them. */
  half: Change | undefined;
  counted: Counted;
  readonly #before: Gtid;
  #bytes = 0;

  constructor(gtid: Gtid, before: Gtid, at: number, limit: number, unfinished?: Unfinished) {
    this.gtid = gtid;
    this.#before = before;
    this.at = unfinished?.at ?? at;
    this.limit = unfinished?.limit ?? limit;
    this.part = unfinished?.parts ?? 0;
    this.counted = unfinished?.counted ?? NOTHING;
  }

  /** To go on with behind the changes that are delivered. */
  unfinished(): Unfinished {
    const { gtid, at, part, limit, counted } = this;
    return { gtid: gtid.text, at, parts: part + 1, limit, counted };
  }

  /** Its BEGIN comes again: what follows is counted anew, wherever it starts. */
  restart(): void {
    this.counted = { ...this.counted, order: 0, restarted: true };
  }

  /** What counting this row comes to; a row that was there before counts as no change. @throws BNY-CDC-INCOMPLETE */
  count({ order, place }: RowRecord): { counted: Counted; isNew: boolean } {
    const before = this.counted;
    const anew = before.restarted && before.order === 0;
    // The last record again: a producer that had no answer sends twice.
    if (!anew && order === before.order) return { counted: before, isNew: false };
    if (!anew && order !== before.order + 1) throw this.#incomplete(`change ${order} behind change ${before.order}`);
    const isNew = before.place === null || isBehind(place, before.place);
    const changes = before.changes + (isNew ? 1 : 0);
    return { counted: { ...before, changes, order, place: isNew ? place : before.place }, isNew };
  }

  /** @throws BNY-CDC-INCOMPLETE */
  end(count: number): void {
    if (this.half) throw this.#incomplete('half of a changed key');
    const { order, restarted } = this.counted;
    // Of a connector that went on behind the last row nothing is left to count.
    if (count !== order && !(restarted && order === 0)) throw this.#incomplete(`${order} of ${count} changes`);
  }

  #incomplete(found: string) {
    const needed = 'every change of every transaction';
    return debeziumFault('BNY-CDC-INCOMPLETE', {
      found: `${this.gtid.text} with ${found}`,
      needed,
      cure: setBack(this.#before),
    });
  }

  /** Asked before a change is added: so the last part is known to be the last one. */
  get isFull(): boolean {
    return this.half === undefined && (this.changes.length >= this.limit || this.#bytes >= PART_BYTES);
  }

  nextPart(): void {
    this.part++;
    this.changes = [];
    this.disturbances = [];
    this.#bytes = 0;
  }

  add(change: Change, { keyChanged, op, bytes }: RowRecord): void {
    this.#bytes += bytes;
    if (keyChanged && op === 'd') {
      this.half = change;
      return;
    }
    if (this.half) {
      this.changes.push({ ...this.half, linkedKey: change.key }, { ...change, linkedKey: this.half.key });
      this.half = undefined;
    } else {
      this.changes.push(change);
    }
  }

  disturb(disturbance: Disturbance): void {
    const same = ({ kind, statement }: Disturbance) => kind === disturbance.kind && statement === disturbance.statement;
    if (!this.disturbances.some(same)) this.disturbances.push(disturbance);
  }
}

/** Within one transaction, so within one file. */
function isBehind(place: Place, other: Place): boolean {
  return (place.position - other.position || place.row - other.row || place.half - other.half) > 0;
}

/** What makes a connector write again what it has left out. */
export function setBack({ text }: Gtid): string {
  return `banyan connector set-back ${text || "''"} --yes, while the binlog still has it: the connector then writes again what is missing, and the reader goes on there. If that ends in the same place, start with a new log and seed again.`;
}
