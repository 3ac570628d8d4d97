import { cdcFault } from '../errors.ts';
import { classify, type LoggedStatement } from '../statements/classify.ts';
import type { FollowedTable } from '../statements/followed-tables.ts';
import type { Change, Transaction } from '../types.ts';
import { debeziumFault } from './errors.ts';
import { Group, setBack } from './group.ts';
import { formatPartPosition, formatPosition, type Gtid, NO_GTID, parseGtid } from './position.ts';
import type { DebeziumRecord, Place, RawRow, RowRecord, StatementRecord } from './record.ts';
import { type Resume, resumePointOf } from './resume.ts';
import type { Tables } from './tables.ts';

/** How the session that wrote a statement read quotes, Debezium does not tell. */
const MODE = { ansiQuotes: false, noBackslashEscapes: false };

/** A GTID to be looked up in the server's binlog, and the one before it. */
export interface Unexplained {
  before: string;
  gtid: string;
}

/**
 * Puts a connector's records together to transactions. Every GTID of the binlog has a BEGIN, also that of a statement
 * about a table that nobody follows, so a sequence number that is left out means that something is lost. A statement's
 * GTID has no END: the next BEGIN ends it, or `explainOpen`.
 *
 * | state | `#group` | left on |
 * | --- | --- | --- |
 * | between transactions | – | the BEGIN of the next sequence number; a later one: lost |
 * | in a transaction | set | its END; the next BEGIN, if it had no rows |
 * | behind a jump back | either | what was delivered comes again and is passed over, until its GTID is a new one |
 */
export class Transactions {
  readonly #tables: Tables;
  readonly #limit: number;
  readonly #deliver: (transaction: Transaction) => void;
  #resume: Resume;
  #last: Gtid;
  #group: Group | undefined;
  readonly #silent: Unexplained[] = [];
  /** The place of the newest row of the newest transaction, when that comes again. */
  #repeated: Place | null = null;

  constructor(tables: Tables, limit: number, resume: Resume, deliver: (transaction: Transaction) => void) {
    this.#tables = tables;
    this.#limit = limit;
    this.#deliver = deliver;
    this.#resume = resume;
    this.#last = resume.gtid === '' ? NO_GTID : parseGtid(resume.gtid);
    const { unfinished } = resume;
    if (unfinished) this.#group = new Group(parseGtid(unfinished.gtid), this.#last, unfinished.at, limit, unfinished);
  }

  /** The sequence number whose BEGIN must come next, also when a connector was set back to it. */
  get expected(): bigint {
    return this.#group?.gtid.sequence ?? this.#last.sequence + 1n;
  }

  /** The open transaction while it has neither rows nor an END: it may be a mere statement. */
  get perhapsStandalone(): Unexplained | undefined {
    const group = this.#group;
    if (!group || group.counted.changes > 0) return undefined;
    return { before: this.#last.text, gtid: group.gtid.text };
  }

  /** Transactions that ended without a word about what they did, to be looked up before anything behind them counts. */
  takeSilent(): Unexplained[] {
    return this.#silent.splice(0);
  }

  /**
   * A statement that Debezium said nothing about.
   *
   * @throws BNY-CDC-UNDECODABLE when it changed a followed table: the connector reads it on as it was before
   */
  explainSilent(gtid: string, statement: LoggedStatement): void {
    const missed = classify(statement, this.#tables.followed).filter(({ kind }) => kind !== 'ddl');
    const [first] = missed;
    if (!first) return;
    throw cdcFault('BNY-CDC-UNDECODABLE', {
      found: `${gtid}: ${first.statement}, which Debezium has not taken up`,
      needed: `statements about ${first.tables.join(', ')} that it understands (DROP and CREATE, not CREATE OR REPLACE)`,
      cure: 'The connector would read the table as it was before. Stop and delete the connector, delete its offsets and topics, apply it again; start with a new log and seed again.',
    });
  }

  /** The open transaction is a statement, and is complete when nothing more can come of it. */
  explainOpen(gtid: string, statement: LoggedStatement, offset: number): void {
    const group = this.#group;
    if (group?.gtid.text !== gtid) return;
    // The first heartbeat may stand between its BEGIN and what the statement made; the second stands behind all.
    if (group.heartbeats < 2 && classify(statement, this.#tables.followed).length > 0) return;
    if (!group.hasStatement) this.explainSilent(gtid, statement);
    this.#complete(group, offset);
  }

  /** @throws BNY-CDC-INCOMPLETE, BNY-CDC-DIVERGED */
  take(record: DebeziumRecord, offset: number): void {
    switch (record.kind) {
      case 'heartbeat':
        if (this.#group) this.#group.heartbeats++;
        return;
      case 'begin':
        this.#begin(record.gtid, record.at, offset);
        return;
      case 'row':
        this.#row(record, offset);
        return;
      case 'statement':
        this.#statement(record);
        return;
      case 'end':
        this.#end(record, offset);
        return;
    }
  }

  #begin(gtid: Gtid, at: number, offset: number): void {
    if (this.#isRepeated(gtid)) {
      this.#repeated = null;
      return;
    }
    if (this.#group && gtid.sequence === this.#group.gtid.sequence) {
      this.#same(gtid, this.#group.gtid);
      this.#group.restart();
      return;
    }
    if (this.#group) this.#endWithoutEnd(this.#group, gtid, offset);
    if (gtid.domain !== this.#last.domain && this.#last !== NO_GTID) throw this.#lost(gtid);
    if (gtid.sequence !== this.#last.sequence + 1n) throw this.#lost(gtid);
    this.#group = new Group(gtid, this.#last, at, this.#limit);
  }

  #endWithoutEnd(group: Group, next: Gtid, offset: number): void {
    if (next.sequence !== group.gtid.sequence + 1n) throw this.#lost(next, group.gtid);
    if (group.counted.changes > 0) {
      throw debeziumFault('BNY-CDC-INCOMPLETE', {
        found: `${group.gtid.text} with ${group.counted.changes} changes and no END`,
        needed: 'an END: Connect was killed in its middle, or it was an XA transaction, which Debezium does not carry',
        cure: setBack(this.#last),
      });
    }
    if (!group.hasStatement) this.#silent.push({ before: this.#last.text, gtid: group.gtid.text });
    this.#complete(group, offset);
  }

  #row(row: RowRecord, offset: number): void {
    if (this.#isRepeated(row.gtid)) {
      if (row.gtid.sequence === this.#last.sequence) this.#repeated = row.place;
      return;
    }
    const group = this.#groupOf(row.gtid);
    const table = this.#tables.followed.get(row.schema, row.table);
    if (row.op === 't') {
      group.hasStatement = true;
      if (table)
        group.disturb({ tables: [table.name], kind: 'truncate', statement: `TRUNCATE TABLE \`${table.name}\`` });
      return;
    }
    const { counted, isNew } = group.count(row);
    if (isNew && table && group.isFull) this.#cut(group, row.at, offset);
    group.counted = counted;
    group.at = row.at;
    if (isNew && table) this.#change(group, table, row);
  }

  #change(group: Group, table: FollowedTable, row: RowRecord): void {
    const { name } = table;
    const reader = this.#tables.reader(table);
    const disturb = (kind: 'columns' | 'statement', found: string) =>
      group.disturb({ tables: [name], kind, statement: `\`${name}\`: ${found}` });
    const problems = reader ? [...reader.problems] : ['its structure is not known'];
    const { read } = reader ?? {};
    if (!reader || !read) {
      disturb('statement', `its rows cannot be read: ${problems.join(', ')}`);
      return;
    }
    const rowOf = (raw: RawRow) => read(raw, (problem) => problems.push(problem));
    const before = row.before ? rowOf(row.before) : undefined;
    const after = row.after ? rowOf(row.after) : undefined;
    if (problems.length > 0) disturb('columns', [...new Set(problems)].join(', '));
    const change: Change = {
      table: name,
      kind: KINDS[row.op as keyof typeof KINDS],
      key: reader.key(after ?? before ?? {}),
    };
    if (before) change.before = before;
    if (after) change.after = after;
    group.add(change, row);
  }

  #statement({ gtid, schema, sql, at, changes }: StatementRecord): void {
    this.#tables.apply(changes);
    this.#resume = { ...this.#resume, structures: this.#tables.structures };
    // A connector's first act, when it has no offset, is to read the structures: its BEGIN will tell whether all is there.
    if (!gtid || this.#isRepeated(gtid)) return;
    const group = this.#groupOf(gtid);
    group.at = at;
    group.hasStatement = true;
    for (const disturbance of classify({ sql, schema, mode: MODE }, this.#tables.followed)) group.disturb(disturbance);
  }

  #end({ gtid, at, count }: Extract<DebeziumRecord, { kind: 'end' }>, offset: number): void {
    if (this.#isRepeated(gtid)) {
      if (gtid.sequence === this.#last.sequence) this.#compare(gtid, at);
      return;
    }
    const group = this.#groupOf(gtid);
    group.end(count);
    group.at = at;
    this.#complete(group, offset + 1);
  }

  /** Whether it was delivered. @throws BNY-CDC-DIVERGED when it is not the same */
  #isRepeated(gtid: Gtid): boolean {
    if (gtid.sequence > this.#last.sequence) return false;
    if (gtid.sequence === this.#last.sequence && this.#resume.gtid !== '') this.#same(gtid, this.#last);
    return true;
  }

  #same(found: Gtid, needed: Gtid): void {
    if (found.text === needed.text) return;
    throw cdcFault('BNY-CDC-DIVERGED', { found: `${found.text} in its place`, needed: needed.text });
  }

  #compare(gtid: Gtid, at: number): void {
    const found = fingerprint(at, this.#repeated);
    const needed = this.#resume.fingerprint;
    // Of one that came again from its middle on there may be no row.
    if (needed === '' || found === needed || (this.#repeated === null && needed.startsWith(found))) return;
    throw cdcFault('BNY-CDC-DIVERGED', { found: `${gtid.text} ended as ${found}`, needed });
  }

  #groupOf(gtid: Gtid): Group {
    if (this.#group?.gtid.text === gtid.text) return this.#group;
    throw this.#lost(gtid, this.#group?.gtid, 'without its BEGIN');
  }

  #lost(found: Gtid, after = this.#last, how = '') {
    return debeziumFault('BNY-CDC-INCOMPLETE', {
      found: `${found.text} ${how}behind ${after.text || 'nothing'}`.replace('BEGINbehind', 'BEGIN, behind'),
      needed: `${after.domain}-…-${after.sequence + 1n}: every GTID of the binlog has its BEGIN`,
      cure: setBack(this.#last),
    });
  }

  /** `offset`: of the first record of what follows. */
  #complete(group: Group, offset: number): void {
    this.#group = undefined;
    this.#last = group.gtid;
    this.#repeated = null;
    const { structures } = this.#tables;
    const ended = { gtid: group.gtid.text, fingerprint: fingerprint(group.at, group.counted.place) };
    this.#resume = { ...this.#resume, ...ended, offset, unfinished: null, structures };
    this.#deliver(this.#transaction(group, true));
  }

  #cut(group: Group, at: number, offset: number): void {
    group.at = at;
    this.#resume = { ...this.#resume, offset, unfinished: group.unfinished() };
    this.#deliver(this.#transaction(group, false));
    group.nextPart();
  }

  #transaction({ gtid, at, changes, disturbances, part }: Group, last: boolean): Transaction {
    const position = last ? formatPosition(gtid) : formatPartPosition(this.#last, part);
    const committedAt = new Date(at * 1000).toISOString();
    return {
      position,
      gtid: gtid.text,
      committedAt,
      changes,
      disturbances,
      part,
      last,
      resume: resumePointOf(this.#resume),
    };
  }
}

const KINDS = { c: 'insert', u: 'update', d: 'delete' } as const;

function fingerprint(at: number, place: Place | null): string {
  return `${at}${place ? ` ${place.file}:${place.position}:${place.row}` : ''}`;
}

/** A transaction without changes: everything up to the resume point has been delivered. */
export function markerOf(resume: Resume, at: number): Transaction {
  const gtid = resume.gtid === '' ? NO_GTID : parseGtid(resume.gtid);
  return {
    position: formatPosition(gtid),
    gtid: gtid.text,
    committedAt: new Date(at).toISOString(),
    changes: [],
    disturbances: [],
    part: 0,
    last: true,
    resume: resumePointOf(resume),
  };
}
