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
  'BNY-LOG-CONTROL': {
    means: 'a control record is of a kind that this version does not know',
    normal: 'never',
    cure: 'Run the same version of Banyan in every process that shares a log.',
  },
} as const satisfies ErrorCatalogue;

export const logFault = faultsOf(LOG_ERRORS);
