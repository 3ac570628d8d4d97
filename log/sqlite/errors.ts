import { type ErrorCatalogue, faultsOf, LOG_ERRORS } from '../errors.ts';

export const SQLITE_LOG_ERRORS = {
  'BNY-LOG-SQLITE-VERSION': {
    means: 'this version of SQLite can corrupt a log that several processes use',
    normal: 'never',
    cure: 'Install better-sqlite3 13 or newer.',
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
} as const satisfies ErrorCatalogue;

/** Of whatever a log in a file raises. */
export const sqliteFault = faultsOf({ ...LOG_ERRORS, ...SQLITE_LOG_ERRORS });
