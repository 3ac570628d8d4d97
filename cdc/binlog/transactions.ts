import type { MariadbGtidEvent, RotateEvent } from '@vlasky/zongji';
import { cdcFault } from '../errors.ts';
import { classify, type LoggedStatement } from '../statements/classify.ts';
import { tokensOf } from '../statements/sql-tokens.ts';
import { StatementReader } from '../statements/statement-reader.ts';
import type { Transaction } from '../types.ts';
import { isArtificial, type RawEvent } from './dump.ts';
import * as types from './event-types.ts';
import { Group, type GroupLimits, type GroupOwner } from './group.ts';
import type { Settings } from './options.ts';
import { formatPosition, StreamPosition } from './position.ts';
import { loadQueryOf, queryOf } from './query-event.ts';
import { diverged, type Fingerprint, type Resume, resumePointOf } from './resume.ts';
import { readRows } from './rows.ts';
import type { ServerFacts } from './server.ts';
import { TableMaps } from './table-maps.ts';

const IGNORABLE = 0x80;
/** Parts are cut by size too: large rows would make them too large to hold. */
const PART_BYTES = 8 * 2 ** 20;

/**
 * Puts the stream's events together to transactions.
 *
 * | state | `#group` | `#reread` | left on |
 * | --- | --- | --- | --- |
 * | before the newest transaction delivered | – | set | its GTID; another GTID: diverged |
 * | reading it again | set | set | its commit, or its first change not delivered: compared with the fingerprint |
 * | in a transaction | set | – | its commit |
 * | between transactions | – | – | a GTID |
 */
export class Transactions implements GroupOwner {
  readonly #limits: GroupLimits;
  readonly #server: ServerFacts;
  readonly #deliver: (transaction: Transaction, bytes: number) => void;
  readonly #maps: TableMaps;
  readonly #position: StreamPosition;
  /** What comes between two transactions resumes from here. */
  #resume: Resume;
  #reread: Resume | undefined;
  #group: Group | undefined;
  #event: RawEvent | undefined;
  /** The newest GTID of each domain, and the same as text. */
  readonly #domains = new Map<string, string>();
  #gtidPosition: string;

  constructor(
    settings: Settings,
    server: ServerFacts,
    resume: Resume,
    deliver: (transaction: Transaction, bytes: number) => void,
  ) {
    this.#limits = { changes: settings.maxPartChanges, bytes: PART_BYTES };
    this.#server = server;
    this.#deliver = deliver;
    this.#maps = new TableMaps(settings, server.charsets, server.fold, resume.shapes);
    this.#position = new StreamPosition(resume.transaction?.begin ?? resume.position);
    this.#resume = resume;
    this.#reread = resume.transaction ? resume : undefined;
    this.#gtidPosition = resume.gtidPosition;
    for (const gtid of resume.gtidPosition.split(',')) if (gtid) this.#domains.set(domainOf(gtid), gtid);
  }

  onEvent(event: RawEvent): void {
    this.#event = event;
    if (isArtificial(event)) {
      if (event.type === types.ROTATE) this.#enterFile(event);
    } else if (event.type === types.GTID) {
      this.#begin(event);
    } else if (this.#group) {
      this.#inside(this.#group, event);
    } else {
      this.#between(event);
    }
  }

  #enterFile(event: RawEvent): void {
    const { binlogName, position } = event.parse<RotateEvent>();
    this.#position.enter(binlogName, Number(position));
    this.#maps.clear();
  }

  #begin(event: RawEvent): void {
    if (this.#group) throw cdcFault('BNY-CDC-UNDECODABLE', { found: `${this.#group.gtid} without a commit` });
    const { checksum, size } = event;
    this.#position.atTransaction();
    this.#pass(event);
    const begin = formatPosition(this.#position.file, this.#position.offset - size);
    const gtid = event.parse<MariadbGtidEvent>();
    const { transaction, unfinished } = this.#reread ?? {};
    if (transaction && transaction.gtid !== gtid.gtid) throw this.#divergence(`${gtid.gtid} in its place`);
    const parts = transaction ? Number.POSITIVE_INFINITY : 0;
    this.#group = new Group(gtid, begin, unfinished ?? { parts, limits: this.#limits }, this);
    this.#group.addChecksum(checksum);
  }

  /** Events between transactions move the position, so that a reader who has read all comes to stand at the head. */
  #between(event: RawEvent): void {
    this.#refuseUnknown(event);
    if (event.end32 === 0) return;
    this.#pass(event);
    const position = this.#position.toString();
    if (this.#reread || position <= this.#resume.position) return;
    this.#resume = { ...this.#resume, position };
    this.#deliver(markerOf(this.#resume, event.timestamp), 0);
  }

  #inside(group: Group, event: RawEvent): void {
    const { checksum } = event;
    const ends = this.#take(group, event);
    this.#pass(event);
    group.addChecksum(checksum);
    if (ends) this.#commit(group, event);
  }

  /** Whether the transaction ends with this event. */
  #take(group: Group, event: RawEvent): boolean {
    const rows = types.ROWS.get(event.type);
    if (rows) {
      if (!group.known) readRows(event, rows, this.#maps, group);
      return false;
    }
    switch (event.type) {
      case types.TABLE_MAP:
        this.#map(group, event);
        return false;
      case types.XID:
      case types.XA_PREPARE:
        return true;
      case types.QUERY:
      case types.QUERY_COMPRESSED:
        return this.#takeQuery(group, queryOf(event));
      case types.EXECUTE_LOAD_QUERY:
        return this.#takeQuery(group, loadQueryOf(event));
      default:
        this.#refuseUnknown(event);
        return false;
    }
  }

  #takeQuery(group: Group, statement: LoggedStatement): boolean {
    if (statement.sql === 'COMMIT') return true;
    if (statement.sql === 'ROLLBACK') {
      group.rollback();
      return true;
    }
    if (SAVEPOINT.test(statement.sql)) {
      takeSavepoint(group, statement);
      return false;
    }
    if (!group.known && !group.unfinishedAlter) {
      for (const disturbance of classify(statement, this.#maps.followed)) {
        group.disturb(disturbance);
        if (disturbance.kind !== 'ddl') this.#maps.forgetShapes(disturbance.tables);
      }
    }
    if (group.xa === 'completed' && !group.known) this.#completeXa(group, /^XA COMMIT/i.test(statement.sql));
    return group.standalone;
  }

  #map(group: Group, event: RawEvent): void {
    const reshaped = this.#maps.map(event);
    if (reshaped === undefined || group.known) return;
    group.remark({ tables: [reshaped], kind: 'rewrite', statement: `\`${reshaped}\` holds values of other types` });
  }

  #refuseUnknown({ type, flags }: RawEvent): void {
    if (types.SILENT.has(type) || (flags & IGNORABLE) !== 0) return;
    if (type === types.ROTATE || type === types.GTID_LIST) return;
    throw cdcFault('BNY-CDC-UNDECODABLE', { found: `a binlog event of type ${type}`, needed: 'a known one' });
  }

  /** Moves the position past an event. */
  #pass({ end32, size }: RawEvent): void {
    if (end32 > 0) this.#position.advance(end32);
    else this.#position.offset += size;
  }

  #commit(group: Group, event: RawEvent): void {
    if (group.known) {
      this.#compare(group, event);
    } else {
      if (this.#reread) throw this.#divergence(`${group.gtid} with fewer changes`);
      if (group.xa === 'prepared') this.#prepareXa(group);
      this.#send(group, event, null);
    }
    this.#group = undefined;
    this.#domains.set(domainOf(group.gtid), group.gtid);
    this.#gtidPosition = [...this.#domains.values()].join();
  }

  /** Called by the group, in the middle of an event: the part ends before it. */
  onPart(): void {
    const group = this.#group as Group;
    this.#send(group, this.#event as RawEvent, { parts: group.part + 1, limits: group.limits });
  }

  onNews(): void {
    this.#compare(this.#group as Group, this.#event as RawEvent);
  }

  #send(group: Group, event: RawEvent, unfinished: Resume['unfinished']): void {
    const transaction = this.#fingerprint(group, event);
    const { end } = transaction;
    // A binlog that was begun anew numbers its files anew.
    if (end < this.#resume.position) {
      throw this.#divergence(`${group.gtid} at ${end}, behind ${this.#resume.position}`);
    }
    const { shapes } = this.#maps;
    this.#resume = {
      ...this.#resume,
      position: end,
      gtidPosition: this.#gtidPosition,
      transaction,
      unfinished,
      shapes,
    };
    const { gtid, changes, disturbances, part } = group;
    const committedAt = isoTime(event.timestamp);
    const last = unfinished === null;
    const resume = resumePointOf(this.#resume);
    this.#deliver({ position: end, gtid, committedAt, changes, disturbances, part, last, resume }, group.bytes);
  }

  /** Is what was read again what was delivered? */
  #compare(group: Group, event: RawEvent): void {
    const found = this.#fingerprint(group, event);
    const needed = this.#reread?.transaction;
    const fields = Object.keys(found) as (keyof Fingerprint)[];
    const different = fields.filter((field) => found[field] !== needed?.[field]);
    if (different.length > 0) {
      throw this.#divergence(`${found.gtid} at ${found.end} with another ${different.join(', ')}`);
    }
    this.#reread = undefined;
    const { serverId, serverUid } = this.#server;
    this.#resume = { ...this.#resume, serverId, serverUid };
  }

  #fingerprint({ gtid, begin, checksum }: Group, event: RawEvent): Fingerprint {
    return { gtid, begin, end: this.#position.toString(), committedAt: event.timestamp, checksum };
  }

  #divergence(found: string) {
    return diverged(this.#resume, this.#server, found);
  }

  #prepareXa(group: Group): void {
    const tables = [...group.touched];
    if (tables.length > 0) group.disturb({ tables, kind: 'xa', statement: 'XA PREPARE' });
    this.#resume = { ...this.#resume, prepared: { ...this.#resume.prepared, [group.xid as string]: tables } };
  }

  /** Of a transaction that was prepared before the stream was first read nobody knows what it touched. */
  #completeXa(group: Group, committed: boolean): void {
    const { [group.xid as string]: tables = this.#maps.followed.tablesOf(), ...prepared } = this.#resume.prepared;
    if (committed && tables.length > 0) group.disturb({ tables: [...tables], kind: 'xa', statement: 'XA COMMIT' });
    this.#resume = { ...this.#resume, prepared };
  }
}

const SAVEPOINT = /^\s*(?:SAVEPOINT|ROLLBACK\s+TO)\b/i;

function takeSavepoint(group: Group, { sql, mode }: LoggedStatement): void {
  const reader = new StatementReader([...tokensOf(sql, mode)]);
  const back = reader.take('ROLLBACK', 'TO');
  reader.take('SAVEPOINT');
  // Savepoints are named in any case.
  const name = reader.name()?.table.toLowerCase() ?? '';
  if (back) group.rollback(name);
  else group.savepoint(name);
}

/** A transaction without changes: everything up to the position has been delivered. */
export function markerOf(resume: Resume, timestamp: number): Transaction {
  return {
    position: resume.position,
    gtid: resume.transaction?.gtid ?? resume.gtidPosition,
    committedAt: isoTime(timestamp),
    changes: [],
    disturbances: [],
    part: 0,
    last: true,
    resume: resumePointOf(resume),
  };
}

function domainOf(gtid: string): string {
  return gtid.slice(0, gtid.indexOf('-'));
}

let newestSecond = Number.NaN;
let newestTime = '';

/** Most transactions share their second with the one before. */
function isoTime(seconds: number): string {
  if (seconds !== newestSecond) {
    newestSecond = seconds;
    newestTime = new Date(seconds * 1000).toISOString();
  }
  return newestTime;
}
