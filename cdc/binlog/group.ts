import type { MariadbGtidEvent } from '@vlasky/zongji';
import { cdcFault } from '../errors.ts';
import type { Change, Disturbance, Position } from '../types.ts';
import type { RowsSink } from './rows.ts';

const START_ALTER = 0x2;
const ROLLBACK_ALTER = 0x8;

export interface GroupLimits {
  changes: number;
  bytes: number;
}

export interface GroupOwner {
  limits: GroupLimits;
  /** Called when a part is full and something follows. */
  onPart(): void;
  /** Called once, when the first change arrives that has not been delivered before. */
  onNews(): void;
}

/** What the binlog holds between a GTID and its commit: the changes of one transaction, cut in parts. */
export class Group implements RowsSink {
  readonly gtid: string;
  /** One statement, without a commit. */
  readonly standalone: boolean;
  readonly xid: string | undefined;
  readonly xa: 'prepared' | 'completed' | undefined;
  /** The first or the failed half of an ALTER that is logged in two: nothing has changed. */
  readonly unfinishedAlter: boolean;
  readonly begin: Position;
  /** Over the checksums of its events so far. */
  checksum = 0;
  changes: Change[] = [];
  disturbances: Disturbance[] = [];
  /** Of the row images behind `changes`. */
  bytes = 0;
  part = 0;
  /** Changes in earlier parts. */
  delivered = 0;
  /** Tables with rows in a prepared XA transaction. */
  readonly touched = new Set<string>();
  readonly #owner: GroupOwner;
  /** Changes that were delivered before the stream was opened. */
  #toSkip: number;
  #news: boolean = false;

  constructor(event: MariadbGtidEvent, begin: Position, toSkip: number, owner: GroupOwner) {
    this.gtid = event.gtid;
    this.standalone = event.standalone;
    this.xa = event.preparedXa ? 'prepared' : event.completedXa ? 'completed' : undefined;
    this.xid = this.xa && `${event.xidFormatId}:${event.xidGtrid?.toString('hex')}:${event.xidBqual?.toString('hex')}`;
    this.unfinishedAlter = ((event.flagsExtra ?? 0) & (START_ALTER | ROLLBACK_ALTER)) !== 0;
    this.begin = begin;
    this.#owner = owner;
    this.#toSkip = toSkip;
  }

  /** All of it was delivered before: there is nothing to read in it. */
  get known(): boolean {
    return this.#toSkip === Number.POSITIVE_INFINITY;
  }

  addChecksum(checksum: number): void {
    this.checksum = (Math.imul(this.checksum, 31) + checksum) >>> 0;
  }

  change(size: number, change: Change, linked?: Change): void {
    if (this.xa === 'prepared') {
      this.touched.add(change.table);
      return;
    }
    const count = linked ? 2 : 1;
    if (this.#toSkip > 0) {
      this.#toSkip -= count;
      this.delivered += count;
      return;
    }
    this.#arrive();
    this.changes.push(change);
    if (linked) this.changes.push(linked);
    this.bytes += size;
  }

  incomplete(table: string, kind: 'columns' | 'statement', reason: string): void {
    if (this.xa === 'prepared') this.touched.add(table);
    this.disturb({ tables: [table], kind, statement: `\`${table}\`: ${reason}` });
  }

  disturb(disturbance: Disturbance): void {
    if (this.#toSkip > 0) return;
    this.#arrive();
    const same = ({ kind, statement }: Disturbance) => kind === disturbance.kind && statement === disturbance.statement;
    if (!this.disturbances.some(same)) this.disturbances.push(disturbance);
  }

  rollback(): void {
    if (this.part > 0) {
      throw cdcFault('BNY-CDC-UNDECODABLE', { found: `a large transaction that was rolled back: ${this.gtid}` });
    }
    this.changes = [];
    this.disturbances = [];
  }

  /** Lazily, so that the last part is known to be the last one, and every reading cuts in the same places. */
  #arrive(): void {
    if (!this.#news) {
      this.#news = true;
      this.#owner.onNews();
    }
    const { limits } = this.#owner;
    if (this.changes.length < limits.changes && this.bytes < limits.bytes) return;
    this.#owner.onPart();
    this.part++;
    this.delivered += this.changes.length;
    this.changes = [];
    this.disturbances = [];
    this.bytes = 0;
  }
}
