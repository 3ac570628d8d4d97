import { b64, type ValueCase } from './test-case.ts';

export const BYTES: readonly ValueCase[] = [
  {
    type: 'BINARY(4)',
    values: [
      ["'ab'", b64('61620000')],
      ["X'01020000'", b64('01020000')],
      ["X'00000000'", b64('00000000')],
    ],
  },
  { type: 'BINARY(255)', values: [["X'ff'", b64(`ff${'00'.repeat(254)}`)]] },
  {
    type: 'VARBINARY(300)',
    values: [
      ["X'010000'", b64('010000')],
      ["''", ''],
    ],
  },
  { type: 'VARBINARY(300) COMPRESSED', values: [[`X'${'00'.repeat(300)}'`, b64('00'.repeat(300))]] },
  {
    type: 'BLOB',
    values: [
      ["X'00ff00'", b64('00ff00')],
      ['NULL', null],
    ],
  },
  { type: 'LONGBLOB', values: [[`REPEAT(X'ff', 100000)`, b64('ff'.repeat(100000))]] },
  { type: 'BLOB COMPRESSED', values: [[`REPEAT(X'ab', 3000)`, b64('ab'.repeat(3000))]] },
];
