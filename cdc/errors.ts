import { hostname } from 'node:os';
import { BanyanError, type ErrorCatalogue, faultsOf } from '../log/errors.ts';
import type { Account } from './connection.ts';

export const CDC_ERRORS = {
  'BNY-CDC-SETTINGS': {
    means: "the database's settings do not let its changes be followed",
    normal: 'never',
    cure: 'Run `banyan doctor`: it lists every setting with the SQL that puts it right.',
  },
  'BNY-CDC-UNREACHABLE': {
    means: "the monolith's database does not answer",
    normal: 'while the database restarts; the emitter tries again by itself',
    cure: 'Check host, port, account and password of `monolith.database` in banyan.config.ts.',
    retryable: true,
  },
  'BNY-CDC-ACCESS': {
    means: "the monolith's database refuses the account",
    normal: 'never',
    cure: 'Run `banyan install`, or correct user and password: BANYAN_MONOLITH_DATABASE_PASSWORD.',
  },
  'BNY-CDC-OTHER-SERVER': {
    means: 'this is another database server than the one the log was filled from',
    normal: 'never',
    cure: 'Point `monolith.database` back to the first server, or start with a new log (another `data` folder) and seed again.',
  },
  'BNY-CDC-PURGED': {
    means: 'the binlog that the emitter needs next has been purged',
    normal: 'never',
    cure: 'Changes were lost to the log: restore the purged binlog files, or start with a new log and seed again. Then raise binlog_expire_logs_seconds.',
  },
  'BNY-CDC-DIVERGED': {
    means: 'the transaction at the checkpoint is not the one that was captured there',
    normal: 'never',
    cure: 'The database lost or rewrote transactions (a crash with sync_binlog=0, or a restored backup). Start with a new log and seed again; then set sync_binlog=1.',
  },
  'BNY-CDC-UNDECODABLE': {
    means: 'the binlog holds something that cannot be decoded without loss',
    normal: 'never',
    cure: 'See found/needed; `banyan doctor` names the setting or column.',
  },
  'BNY-CDC-UNSUPPORTED-COLUMN': {
    means: 'a column has a type that cannot be carried without loss',
    normal: 'never',
    cure: 'Leave the column out of the domain (`excluded`), or change its type in the monolith.',
  },
  'BNY-CDC-CHECKPOINT': {
    means: "the emitter's checkpoint was written by another version of Banyan",
    normal: 'never',
    cure: 'Run the version that wrote it, or a newer one that reads it.',
  },
  'BNY-CDC-TOO-LARGE': {
    means: 'a parked change is larger than the log takes',
    normal: 'never',
    cure: 'Leave the large column out of the domain, then run `banyan resume <domain> --reseed`.',
  },
  'BNY-CDC-CAPTURE-CHANGED': {
    means: 'a capture was changed while the emitter had stopped in the middle of a large transaction',
    normal: 'never',
    cure: 'Start the emitter once with the old capture, until it has caught up; then change the capture.',
  },
  'BNY-CDC-FENCE': {
    means: 'the fence of a domain could not be put up or taken down whole',
    normal: 'while a long transaction uses one of its tables',
    cure: 'Let what holds the table end, or choose a quieter moment, and run the command again: what is done is left as it is.',
  },
} as const satisfies ErrorCatalogue;

export const cdcFault = faultsOf(CDC_ERRORS);

/** What a log was filled with by one source, another one cannot go on from. */
export const OTHER_SOURCE =
  'A log keeps its source: go back to the former `source.kind`, or begin a new log (another `data` folder, a new `log.prefix`) and seed again.';

/**
 * What a driver's failure on a connection means: a wrong account passes as little as a dead server lasts. An error of our
 * own is what it is.
 */
export function connectionFault(error: unknown, { user, host, port }: Account): BanyanError {
  if (BanyanError.is(error)) return error;
  const { errno = 0, code, message } = error as { errno?: number; code?: string; message?: string };
  const denied = [1044, 1045, 1142, 1227, 1698].includes(errno);
  // Node's error for a name with several addresses has a code and no message.
  const found = `${user}@${host}:${port}: ${message || code || String(error)}`;
  const [, from] = /for user '.*'@'(.+)' \(using password/.exec(message ?? '') ?? [];
  const shadow = from === undefined ? {} : { cure: `${CDC_ERRORS['BNY-CDC-ACCESS'].cure} ${shadowCure(from)}` };
  return cdcFault(denied ? 'BNY-CDC-ACCESS' : 'BNY-CDC-UNREACHABLE', { found, cause: error, ...shadow });
}

/** An account named by host comes before one for every host, whoever it is: so an anonymous one hides all others. */
function shadowCure(from: string): string {
  return `If they are right, an anonymous account of the server hides this one: ${dropAnonymous(from)}`;
}

function dropAnonymous(from: string): string {
  const hosts = from === 'localhost' ? [from, hostname()] : [from];
  return `DROP USER IF EXISTS ${hosts.map((host) => `''@'${host}'`).join(', ')};`;
}

/** `account`: whom the server has let in, as CURRENT_USER() names it. @throws BNY-CDC-ACCESS when that is nobody */
export function refuseAnonymous(account: string, { user, host, port }: Account): void {
  if (!account.startsWith('@') || !user) return;
  throw cdcFault('BNY-CDC-ACCESS', {
    found: `${user}@${host}:${port} was let in as the anonymous account ''${account.replace('@', "@'")}'`,
    needed: `the account ${user}`,
    cure: `${dropAnonymous(account.slice(1))} It hides ${user}; then run \`banyan install\`.`,
  });
}
