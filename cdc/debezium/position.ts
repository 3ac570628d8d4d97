import { cdcFault } from '../errors.ts';
import type { Position } from '../types.ts';

/** A MariaDB GTID. Within one replication domain the sequence numbers of a server's transactions have no hole. */
export interface Gtid {
  text: string;
  domain: number;
  server: number;
  sequence: bigint;
}

/** @throws BNY-CDC-UNDECODABLE */
export function parseGtid(text: string): Gtid {
  const [, domain, server, sequence] = /^(\d+)-(\d+)-(\d+)$/.exec(text) ?? [];
  if (sequence === undefined)
    throw cdcFault('BNY-CDC-UNDECODABLE', { found: `GTID ${text}`, needed: 'domain-server-sequence' });
  return { text, domain: Number(domain), server: Number(server), sequence: BigInt(sequence) };
}

/** What a server says who has written nothing yet. */
export const NO_GTID: Gtid = { text: '', domain: 0, server: 0, sequence: 0n };

/** The server stands last: after a failover another one goes on with the next sequence number. */
export function formatPosition({ domain, server, sequence }: Gtid): Position {
  return `${digits(domain, 10)}-${digits(sequence, 20)}-${digits(server, 10)}`;
}

/** Of a part that is not the last: behind the transaction before, and not yet at its own. */
export function formatPartPosition(before: Gtid, part: number): Position {
  return `${formatPosition(before)}.${digits(part + 1, 10)}`;
}

function digits(value: number | bigint, width: number): string {
  return String(value).padStart(width, '0');
}

/** Of `gtid_binlog_pos`. @throws BNY-CDC-SETTINGS when there are several domains: their transactions have no common order */
export function newestOf(gtidPosition: string): Gtid {
  if (gtidPosition === '') return NO_GTID;
  if (gtidPosition.includes(',')) throw cdcFault('BNY-CDC-SETTINGS', severalDomains(gtidPosition));
  return parseGtid(gtidPosition);
}

export function severalDomains(gtidPosition: string) {
  return {
    found: `gtid_binlog_pos ${gtidPosition}`,
    needed: 'one replication domain: transactions of several have no common order to count in',
    cure: 'Let every writer use one gtid_domain_id, then remove the others from the binlog: FLUSH BINARY LOGS DELETE_DOMAIN_ID = (…).',
  };
}
