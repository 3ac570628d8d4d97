import type { ValueCase } from './test-case.ts';

const UUID_V1 = '123e4567-e89b-12d3-a456-426655440000';
const FORTY_ZEROS = '0'.repeat(40);

export const DECLARED: readonly ValueCase[] = [
  {
    type: 'UUID',
    declared: 'uuid',
    values: [
      [`'${UUID_V1}'`, UUID_V1],
      ["'017f22e2-79b0-7cc3-98c4-dc0c0c07398f'", '017f22e2-79b0-7cc3-98c4-dc0c0c07398f'],
      ["'00000000-0000-0000-0000-000000000000'", '00000000-0000-0000-0000-000000000000'],
      ["'ffffffff-ffff-4fff-8fff-ffffffffff00'", 'ffffffff-ffff-4fff-8fff-ffffffffff00'],
      ["'f81d4fae-7dec-11d0-a765-00a0c91e6b00'", 'f81d4fae-7dec-11d0-a765-00a0c91e6b00'],
    ],
  },
  {
    type: 'INET4',
    declared: 'inet4',
    values: [
      ["'1.2.3.0'", '1.2.3.0'],
      ["'255.255.255.255'", '255.255.255.255'],
    ],
  },
  {
    type: 'INET6',
    declared: 'inet6',
    values: [
      ...['::', '::1', '::2', '::ffff', '::1.2.3.4', '::ffff:1.2.3.4', '2001:db8::', '1:0:0:2::3'],
      ...['2001:db8::1:0:0:1', 'fe80::1', '1:2:3:4:5:6:7:8', '0:1::', '1::2:3:4:5:6:7', '::1:0:0'],
    ].map((text) => [`'${text}'`, text]),
  },
  {
    type: 'JSON',
    declared: 'json',
    values: [
      ['\'{"b":1,"a":{"d":[3,{"z":1,"y":2}],"c":null}}\'', { a: { c: null, d: [3, { y: 2, z: 1 }] }, b: 1 }],
      ['\'{"n":9007199254740993,"m":9007199254740991}\'', { m: 9007199254740991, n: '9007199254740993' }],
      [
        "'[1.0,1e2,0.1,0.30000000000000000000001,1e400,-0,12345678901234567890.5]'",
        [1, 100, 0.1, '0.30000000000000000000001', '1e400', 0, '12345678901234567890.5'],
      ],
      ['\'{"a":1,"a":2}\'', { a: 2 }],
      ['\'"\u{1F389}\\\\u00e9"\'', '\u{1F389}\u00e9'],
      ["'null'", null],
      ['NULL', null],
      [`'["${FORTY_ZEROS}"]'`, [FORTY_ZEROS]],
    ],
  },
  { type: 'VARCHAR(50) CHARACTER SET latin1', declared: 'json', values: [['\'{"\u00e9":true}\'', { '\u00e9': true }]] },
];
