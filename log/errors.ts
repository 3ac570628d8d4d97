/** One entry of the error catalogue; `docs/errors.md` is printed from these. */
export interface ErrorEntry {
  /** What the error means, one sentence. */
  means: string;
  /** When an operator may see it without anything being wrong; `never` if there is no such case. */
  normal: string;
  /** What to do. */
  cure: string;
  /** Whether trying again later can succeed without anyone doing anything. */
  retryable?: boolean;
}

export type ErrorCatalogue = Readonly<Record<string, ErrorEntry>>;

export interface ErrorFacts {
  found?: string;
  needed?: string;
  /** Replaces the catalogue's cure where the facts allow a more exact one. */
  cure?: string;
  cause?: unknown;
}

const BRAND = Symbol.for('banyan.error');

/** Every error that Banyan raises on purpose. Branded by symbol: `instanceof` fails across module realms. */
export class BanyanError extends Error {
  readonly [BRAND] = true;
  readonly code: string;
  readonly found: string | undefined;
  readonly needed: string | undefined;
  readonly cure: string;
  readonly retryable: boolean;

  constructor(code: string, entry: ErrorEntry, facts: ErrorFacts = {}) {
    super(describe(code, entry, facts), facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'BanyanError';
    this.code = code;
    this.found = facts.found;
    this.needed = facts.needed;
    this.cure = facts.cure ?? entry.cure;
    this.retryable = entry.retryable ?? false;
  }

  static is(value: unknown): value is BanyanError {
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}

function describe(code: string, entry: ErrorEntry, { found, needed }: ErrorFacts): string {
  const details = [found && `found: ${found}`, needed && `needed: ${needed}`].filter(Boolean).join('; ');
  return `${code}: ${entry.means}${details ? ` (${details})` : ''}`;
}

/** Gives each folder its own `fault('BNY-…', facts)`, typed by that folder's catalogue. */
export function faultsOf<C extends ErrorCatalogue>(catalogue: C) {
  return (code: keyof C & string, facts?: ErrorFacts): BanyanError => {
    const entry = catalogue[code];
    if (!entry) throw new TypeError(`no error is catalogued as ${code}`);
    return new BanyanError(code, entry, facts);
  };
}

export const LOG_ERRORS = {
  'BNY-LOG-FENCED': {
    means: 'a newer process has taken over this right to append',
    normal: 'after a process was paused or cut off while another one took its place',
    cure: 'Nothing is lost: stop this process; the newer one goes on from the last checkpoint.',
  },
  'BNY-LOG-CONFLICT': {
    means: 'the checkpoint in the log is not the one this writer appended last',
    normal: 'never',
    cure: 'Open the writer again and go on from the checkpoint that it returns.',
    retryable: true,
  },
  'BNY-LOG-TOO-LARGE': {
    means: 'an append holds more than the log takes at once',
    normal: 'never',
    cure: 'Append at most 1,000 events and 1 MB at a time.',
  },
  'BNY-LOG-UNKNOWN-TOPIC': {
    means: 'the log has no such topic',
    normal: 'never',
    cure: 'Check the name of the domain against banyan.config.ts; topics are made from it.',
  },
  'BNY-LOG-PARTITIONS': {
    means: 'a topic was made with another number of partitions',
    normal: 'never',
    cure: 'Set the number back: it is fixed for the life of a topic, because it decides where a key stands.',
  },
  'BNY-LOG-ANOTHER': {
    means: 'this is not the log that the store was built from',
    normal: 'after a log was restored from a backup, or deleted and made anew',
    cure: 'Restore the right log, or delete the store and let it be rebuilt from this one.',
  },
  'BNY-LOG-SQLITE-VERSION': {
    means: 'this version of SQLite can corrupt a log that several processes use',
    normal: 'never',
    cure: 'Install better-sqlite3 13 or newer.',
  },
  'BNY-LOG-CONTROL': {
    means: 'a control record is of a kind that this version does not know',
    normal: 'never',
    cure: 'Run the same version of Banyan in every process that shares a log.',
  },
  'BNY-LOG-BUSY': {
    means: 'another process kept the log locked for more than ten seconds',
    normal: 'while a very large backup is copied to a slow disk',
    cure: 'It is tried again by itself. If it goes on, look for a process that was stopped in the middle of an append.',
    retryable: true,
  },
  'BNY-LOG-FULL': {
    means: 'the disk with the log is full',
    normal: 'never',
    cure: 'Free disk space: nothing was skipped, and it goes on by itself.',
    retryable: true,
  },
  'BNY-LOG-DAMAGED': {
    means: 'the log file cannot be read or written',
    normal: 'never',
    cure: 'Nothing was skipped. Repair the disk; a damaged file is restored from `banyan log backup`.',
  },
  'BNY-LOG-UNREACHABLE': {
    means: 'the Kafka cluster does not answer, or not as it should',
    normal: 'while a broker restarts or another one takes its place; it is tried again by itself',
    cure: 'Check `log.brokers` in banyan.config.ts, and that the brokers run and can be reached from here.',
    retryable: true,
  },
  'BNY-LOG-ACCESS': {
    means: 'the Kafka cluster refuses this account',
    normal: 'never',
    cure: 'Check `log.sasl` and `log.tls`, and the rights of the account (docs/kafka.md lists them).',
  },
  'BNY-LOG-HUNG': {
    means: 'a transaction is open in the log, and hides everything behind it',
    normal: 'for some seconds after a process was killed',
    cure: 'It ends by its time-out. If it stays, somebody else writes to the topic: `kafka-transactions.sh find-hanging` names the producer.',
    retryable: true,
  },
  'BNY-LOG-FORGETS': {
    means: 'events have been deleted from the log',
    normal: 'never',
    cure: 'Set `retention.ms` and `retention.bytes` of the topic to -1. What is gone cannot be read again: start with a new log and seed again.',
  },
  'BNY-LOG-TOPIC': {
    means: 'a topic is set up so that it loses or refuses events',
    normal: 'never',
    cure: 'Correct the named settings of the topic with kafka-configs.sh; nothing was written.',
  },
  'BNY-LOG-FOREIGN': {
    means: 'the log holds something that Banyan did not write',
    normal: 'never',
    cure: 'Find out who writes to the topic and stop it. Start with a new log (another `log.prefix`) and seed again.',
  },
  'BNY-LOG-GAP': {
    means: "events are missing in the log: a writer's count has a hole",
    normal: 'never',
    cure: 'The cluster has lost what it had confirmed (an unclean election, a deleted segment). Start with a new log and seed again.',
  },
} as const satisfies ErrorCatalogue;

export const logFault = faultsOf(LOG_ERRORS);
