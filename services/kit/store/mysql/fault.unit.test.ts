import { describe, expect, it } from '@jest/globals';
import { BanyanError } from '../../../../log/index.ts';
import { asStoreFault } from './fault.ts';

const failure = (facts: object) => Object.assign(new Error('the server said so'), facts);
const codeOf = (fault: unknown) => BanyanError.is(fault) && [fault.code, fault.retryable];

describe("an error of the stores' server", () => {
  it.each([
    ['full disk', 1021, 'ER_DISK_FULL', 'BNY-SERVICE-STORE-BLOCKED', true],
    ['full table', 1114, 'ER_RECORD_FILE_FULL', 'BNY-SERVICE-STORE-BLOCKED', true],
    ['lock that is held for too long', 1205, 'ER_LOCK_WAIT_TIMEOUT', 'BNY-SERVICE-STORE-BLOCKED', true],
    ['read-only server', 1290, 'ER_OPTION_PREVENTS_STATEMENT', 'BNY-SERVICE-STORE-BLOCKED', true],
    ['server that shuts down', 1053, 'ER_SERVER_SHUTDOWN', 'BNY-SERVICE-STORE-UNREACHABLE', true],
    ['wrong password', 1045, 'ER_ACCESS_DENIED_ERROR', 'BNY-SERVICE-STORE-ACCESS', false],
    ['right that is missing', 1142, 'ER_TABLEACCESS_DENIED_ERROR', 'BNY-SERVICE-STORE-ACCESS', false],
    ['value that is too long', 1406, 'ER_DATA_TOO_LONG', 'BNY-SERVICE-STORE-VALUE', false],
    ['broken index', 1712, 'ER_INDEX_CORRUPT', 'BNY-SERVICE-STORE-DAMAGED', false],
    ['table that is gone', 1146, 'ER_NO_SUCH_TABLE', 'BNY-SERVICE-STORE-DAMAGED', false],
  ])('is told as what it means: a %s', (_, errno, code, meaning, retryable) => {
    expect(codeOf(asStoreFault(failure({ errno, code })))).toEqual([meaning, retryable]);
  });

  it.each([
    { code: 'ECONNREFUSED', errno: -111 },
    { code: 'PROTOCOL_CONNECTION_LOST' },
    { fatal: true },
    { name: 'KnexTimeoutError' },
  ])('counts as no answer: %j', (facts) => {
    expect(codeOf(asStoreFault(failure(facts)))).toEqual(['BNY-SERVICE-STORE-UNREACHABLE', true]);
  });

  it.each([{ errno: 1064, code: 'ER_PARSE_ERROR' }, { code: 'ERR_ASSERTION' }, {}])('stays what it is: %j', (facts) => {
    const error = failure(facts);
    expect(asStoreFault(error)).toBe(error);
  });
});
