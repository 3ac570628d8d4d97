import type { MariadbGtidEvent } from '@vlasky/zongji';
import type { Change, Disturbance, Position } from '../types.ts';
import type { RowsSink } from './rows.ts';

const START_ALTER = 0x2;
const ROLLBACK_ALTER = 0x8;

export interface GroupLimits {
  changes: number;
  bytes: number;
}

export interface GroupOwner {
  /** Called when a part is full and something follows. */
  onPart(): void;
  /** Called once, behind the last part that was delivered before the stream was opened. */
  onNews(): void;
}

/** How a transaction was cut when it was read first. All of it was delivered before when `parts` is infinite. */
export interface Delivered {
  parts: number;
  limits: GroupLimits;
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
  /** Tables with rows in a prepared XA transaction. */
  readonly touched = new Set<string>();
  readonly limits: GroupLimits;
  readonly #owner: GroupOwner;
  /** Changes in earlier parts. */
  #delivered = 0;
  /** Parts that were delivered before the stream was opened: read in the same way, and not delivered. */
  readonly #known: number;
  /** Tables with changes in earlier parts. */
  readonly #tables = new Set<string>();
  /** Name → how many changes there were at it. */
  readonly #savepoints = new Map<string, number>();

  constructor(event: MariadbGtidEvent, begin: Position, { parts, limits }: Delivered, owner: GroupOwner) {
    this.gtid = event.gtid;
    this.standalone = event.standalone;
    this.xa = event.preparedXa ? 'prepared' : event.completedXa ? 'completed' : undefined;
    this.xid = this.xa && `${event.xidFormatId}:${event.xidGtrid?.toString('hex')}:${event.xidBqual?.toString('hex')}`;
    this.unfinishedAlter = ((event.flagsExtra ?? 0) & (START_ALTER | ROLLBACK_ALTER)) !== 0;
    this.begin = begin;
    this.limits = limits;
    this.#owner = owner;
    this.#known = parts;
  }

  /** All of it was delivered before: there is nothing to read in it. */
  get known(): boolean {
    return this.#known === Number.POSITIVE_INFINITY;
  }

  addChecksum(checksum: number): void {
    this.checksum = (Math.imul(this.checksum, 31) + checksum) >>> 0;
  }

  change(size: number, change: Change, linked?: Change): void {
    if (this.xa === 'prepared') {
      this.touched.add(change.table);
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
    this.#arrive();
    this.remark(disturbance);
  }

  /** Of what is found at one reading and may not be at another: it cuts no part. */
  remark(disturbance: Disturbance): void {
    const same = ({ kind, statement }: Disturbance) => kind === disturbance.kind && statement === disturbance.statement;
    if (!this.disturbances.some(same)) this.disturbances.push(disturbance);
  }

  savepoint(name: string): void {
    this.#savepoints.set(name, this.#delivered + this.changes.length);
  }

  /**
   * Forgets what came since the savepoint, or all. The binlog holds rows and then their rollback when the transaction
   * also wrote to a table that cannot be rolled back. What was delivered in an earlier part cannot be taken back.
   */
  rollback(savepoint?: string): void {
    const left = savepoint === undefined ? 0 : (this.#savepoints.get(savepoint) ?? 0);
    if (left === 0 && this.part === 0) this.disturbances = [];
    this.changes.length = Math.max(0, left - this.#delivered);
    if (left < this.#delivered) {
      this.disturb({ tables: [...this.#tables], kind: 'rollback', statement: 'ROLLBACK of a large transaction' });
    }
  }

  /** Lazily, so that the last part is known to be the last one, and every reading cuts in the same places. */
  #arrive(): void {
    if (this.changes.length < this.limits.changes && this.bytes < this.limits.bytes) return;
    if (this.part >= this.#known) this.#owner.onPart();
    for (const { table } of this.changes) this.#tables.add(table);
    this.part++;
    this.#delivered += this.changes.length;
    this.changes = [];
    this.disturbances = [];
    this.bytes = 0;
    if (this.part === this.#known) this.#owner.onNews();
  }
}
