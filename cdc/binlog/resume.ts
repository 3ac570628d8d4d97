import { cdcFault, OTHER_SOURCE } from '../errors.ts';
import type { Position, ResumePoint } from '../types.ts';
import type { Delivered } from './group.ts';
import { formatPosition } from './position.ts';
import type { ServerFacts } from './server.ts';

/** What a transaction is known by when it is read again. */
export interface Fingerprint {
  gtid: string;
  /** Where it starts and ends. Of an unfinished one, `end` is where it was read to. */
  begin: Position;
  end: Position;
  /** Seconds since 1970. */
  committedAt: number;
  /** Over the checksums of its events. */
  checksum: number;
}

/** Prepared XA transactions that are neither completed nor rolled back: xid → captured tables that they touched. */
export type PreparedXa = { readonly [xid: string]: readonly string[] };

/** The resume record, as JSON in the emitter's checkpoint. */
export interface Resume {
  version: 1;
  serverId: number;
  serverUid: string;
  /** Up to here everything is delivered. */
  position: Position;
  /** The server's GTID position before `transaction`, in all domains; where to read on from. */
  gtidPosition: string;
  /** The newest transaction, to be read again and compared. Null before the first one. */
  transaction: Fingerprint | null;
  /** Of an unfinished transaction: the parts that are delivered, and where they are cut. Else null. */
  unfinished: Delivered | null;
  prepared: PreparedXa;
  /** Table → what the values in its rows look like: see `TableMaps`. */
  shapes: Readonly<Record<string, string>>;
}

export function resumePointOf(resume: Resume): ResumePoint {
  return resume as unknown as ResumePoint;
}

export function resumeOf(point: ResumePoint): Resume {
  if ('topic' in point) {
    const needed = 'one of the binlog';
    throw cdcFault('BNY-CDC-CHECKPOINT', { found: 'a resume point in a topic', needed, cure: OTHER_SOURCE });
  }
  if (point['version'] !== 1) {
    throw cdcFault('BNY-CDC-CHECKPOINT', { found: `resume point of version ${String(point['version'])}`, needed: '1' });
  }
  return point as unknown as Resume;
}

/** Where a reader starts that has nothing to go on from: behind everything that is committed now. */
export function resumeFromNow(server: ServerFacts): Resume {
  return {
    version: 1,
    serverId: server.serverId,
    serverUid: server.serverUid,
    position: formatPosition(server.file, server.offset),
    gtidPosition: server.gtidPosition,
    transaction: null,
    unfinished: null,
    prepared: {},
    shapes: {},
  };
}

/** Does the server have what was read? What cannot be seen by asking is seen when the transaction is read again. */
export function checkServer(resume: Resume, server: ServerFacts): void {
  const delivered = resume.transaction ? [resume.transaction.gtid] : resume.gtidPosition.split(',');
  const lost = delivered.find((gtid) => gtid !== '' && !server.gtidState.some((newest) => covers(newest, gtid)));
  if (lost !== undefined) throw diverged(resume, server, `no transaction ${lost}`);
}

function covers(newest: string, gtid: string): boolean {
  const [domain, server, sequence] = gtid.split('-');
  const [newestDomain, newestServer, newestSequence] = newest.split('-');
  return domain === newestDomain && server === newestServer && BigInt(sequence ?? 0) <= BigInt(newestSequence ?? 0);
}

/**
 * The same server with another history, or another server. Only a history that differs makes it one: `server_uid` is
 * made from the network card and the port, and a container gets new ones.
 */
export function diverged(resume: Resume, { serverId, serverUid }: ServerFacts, found: string) {
  const isSame = resume.serverId === serverId && resume.serverUid === serverUid;
  const code = isSame ? 'BNY-CDC-DIVERGED' : 'BNY-CDC-OTHER-SERVER';
  const { transaction, gtidPosition } = resume;
  return cdcFault(code, {
    found,
    needed: transaction ? `${transaction.gtid} at ${transaction.end} with its checksum` : gtidPosition,
  });
}
