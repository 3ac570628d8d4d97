import type { Value } from '../types.ts';
import type { DeclaredType } from './supported.ts';

/** A column type and its edge values; every source runs through these. */
export interface ValueCase {
  /** The column's definition. */
  type: string;
  declared?: DeclaredType;
  /** What is inserted, as SQL, and its canonical value. */
  values: [sql: string, canonical: Value][];
}

const b64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
const FORTY_ZEROS = '0'.repeat(40);
const DECIMAL_65_30 = `${'9'.repeat(35)}.${'9'.repeat(30)}`;

const NUMBERS: ValueCase[] = [
  {
    type: 'TINYINT',
    values: [
      ['-128', -128],
      ['127', 127],
      ['0', 0],
      ['NULL', null],
    ],
  },
  {
    type: 'TINYINT UNSIGNED',
    values: [
      ['255', 255],
      ['0', 0],
    ],
  },
  {
    type: 'TINYINT(1)',
    values: [
      ['1', 1],
      ['0', 0],
      ['TRUE', 1],
      ['-1', -1],
      ['2', 2],
    ],
  },
  {
    type: 'SMALLINT',
    values: [
      ['-32768', -32768],
      ['32767', 32767],
    ],
  },
  { type: 'SMALLINT UNSIGNED', values: [['65535', 65535]] },
  {
    type: 'MEDIUMINT',
    values: [
      ['-8388608', -8388608],
      ['8388607', 8388607],
      ['-1', -1],
    ],
  },
  { type: 'MEDIUMINT UNSIGNED', values: [['16777215', 16777215]] },
  {
    type: 'INT',
    values: [
      ['-2147483648', -2147483648],
      ['2147483647', 2147483647],
    ],
  },
  { type: 'INT UNSIGNED', values: [['4294967295', 4294967295]] },
  { type: 'INT(8) ZEROFILL', values: [['42', 42]] },
  {
    type: 'BIGINT',
    values: [
      ['-9223372036854775808', '-9223372036854775808'],
      ['9223372036854775807', '9223372036854775807'],
      ['9007199254740991', 9007199254740991],
      ['-9007199254740991', -9007199254740991],
      ['9007199254740992', '9007199254740992'],
      ['-9007199254740992', '-9007199254740992'],
      ['9007199254740993', '9007199254740993'],
      ['-1', -1],
      ['0', 0],
      ['4294967296', 4294967296],
    ],
  },
  {
    type: 'BIGINT UNSIGNED',
    values: [
      ['18446744073709551615', '18446744073709551615'],
      ['9007199254740991', 9007199254740991],
      ['0', 0],
    ],
  },
  {
    type: 'BIGINT ZEROFILL',
    values: [
      ['42', 42],
      ['9007199254740993', '9007199254740993'],
    ],
  },
  {
    type: 'DECIMAL(65,30)',
    values: [
      [DECIMAL_65_30, DECIMAL_65_30],
      [`-${DECIMAL_65_30}`, `-${DECIMAL_65_30}`],
      ['0', `0.${'0'.repeat(30)}`],
      ['-0.000000000000000000000000000001', '-0.000000000000000000000000000001'],
      ['1234567890.000000001', '1234567890.000000001000000000000000000000'],
    ],
  },
  {
    type: 'DECIMAL(65,0)',
    values: [
      ['9'.repeat(65), '9'.repeat(65)],
      ['-1', '-1'],
      ['1000000000', '1000000000'],
    ],
  },
  {
    type: 'DECIMAL(10,10)',
    values: [
      ['0.1234567891', '0.1234567891'],
      ['-0.0000000001', '-0.0000000001'],
    ],
  },
  {
    type: 'DECIMAL(5,2)',
    values: [
      ['4.25', '4.25'],
      ['-0.00', '0.00'],
      ['-999.99', '-999.99'],
      ['100', '100.00'],
    ],
  },
  {
    type: 'DECIMAL(9,4) ZEROFILL',
    values: [
      ['42.5', '42.5000'],
      ['0', '0.0000'],
    ],
  },
  { type: 'DECIMAL(18,9)', values: [['-100000000.000000009', '-100000000.000000009']] },
  {
    type: 'FLOAT',
    values: [
      ['0.1', 0.1],
      ['-0.0e0', 0],
      ['16777216', 16777216],
      ['16777217', 16777216],
      ['3.4e38', 3.4e38],
      ['3.4028234663852886e38', 3.4028235e38],
      ['1.17549435e-38', 1.1754944e-38],
      ['1e-45', 1e-45],
      ['7e-45', 7e-45],
      ['123456.789', 123456.79],
      ['0.333333333', 0.33333334],
      ['1e10', 1e10],
      ['-1.5', -1.5],
      ['8388608.5', 8388608],
    ],
  },
  {
    type: 'FLOAT(7,4)',
    values: [
      ['0.1', 0.1],
      ['999.99994', 999.9999],
    ],
  },
  {
    type: 'DOUBLE',
    values: [
      ['0.1', 0.1],
      ['-0.0e0', 0],
      ['0.1e0 + 0.2e0', 0.1 + 0.2],
      ['1.7976931348623157e308', Number.MAX_VALUE],
      ['5e-324', 5e-324],
      ['2.2250738585072014e-308', 2.2250738585072014e-308],
      ['9007199254740993', 9007199254740992],
      ['1e23', 1e23],
      ['123456789012345680', 123456789012345680],
      ['4.35', 4.35],
    ],
  },
  {
    type: 'DOUBLE(15,3)',
    values: [
      ['0.1', 0.1],
      ['123456789.123', 123456789.123],
      ['0.0015', 0.002],
    ],
  },
  {
    type: 'BIT(1)',
    values: [
      ["b'1'", b64('01')],
      ["b'0'", b64('00')],
    ],
  },
  { type: 'BIT(10)', values: [["b'1000000001'", b64('0201')]] },
  {
    type: 'BIT(64)',
    values: [
      [`0x${'ff'.repeat(8)}`, b64('ff'.repeat(8))],
      ['1', b64('0000000000000001')],
    ],
  },
];

const TIMES: ValueCase[] = [
  {
    type: 'YEAR',
    values: [
      ['0', 0],
      ['1901', 1901],
      ['2155', 2155],
      ["'70'", 1970],
    ],
  },
  {
    type: 'DATE',
    values: [
      ["'1000-01-01'", '1000-01-01'],
      ["'9999-12-31'", '9999-12-31'],
      ["'0000-00-00'", '0000-00-00'],
      ["'2026-01-00'", '2026-01-00'],
      ["'2026-00-00'", '2026-00-00'],
    ],
  },
  {
    type: 'DATETIME',
    values: [
      ["'1000-01-01 00:00:00'", '1000-01-01T00:00:00'],
      ["'9999-12-31 23:59:59'", '9999-12-31T23:59:59'],
      ["'0000-00-00 00:00:00'", '0000-00-00T00:00:00'],
      ["'2026-01-00 10:20:30'", '2026-01-00T10:20:30'],
    ],
  },
  ...[1, 2, 3, 4, 5, 6].map((fsp): ValueCase => {
    const all = '.123456'.slice(0, fsp + 1);
    const low = '.000001'.slice(0, fsp + 1);
    return {
      type: `DATETIME(${fsp})`,
      values: [
        [`'2026-11-21 10:11:12${all}'`, `2026-11-21T10:11:12${all}`],
        [`'0000-00-00 00:00:00'`, `0000-00-00T00:00:00.${'0'.repeat(fsp)}`],
        [`'9999-12-31 23:59:59${low}'`, `9999-12-31T23:59:59${low}`],
      ],
    };
  }),
  {
    type: 'TIMESTAMP NULL',
    values: [
      ["'1970-01-01 00:00:01'", '1970-01-01T00:00:01Z'],
      ["'2038-01-19 03:14:07'", '2038-01-19T03:14:07Z'],
      ["'0000-00-00 00:00:00'", '0000-00-00T00:00:00Z'],
      ["'2024-02-29 23:59:59'", '2024-02-29T23:59:59Z'],
      ['NULL', null],
    ],
  },
  {
    type: 'TIMESTAMP(3) NULL',
    values: [
      ["'2026-11-21 10:11:12.003'", '2026-11-21T10:11:12.003Z'],
      ["'0000-00-00 00:00:00'", '0000-00-00T00:00:00.000Z'],
    ],
  },
  { type: 'TIMESTAMP(6) NULL', values: [["'2038-01-19 03:14:07.999999'", '2038-01-19T03:14:07.999999Z']] },
  {
    type: 'TIME',
    values: [
      ["'838:59:59'", '838:59:59'],
      ["'-838:59:59'", '-838:59:59'],
      ["'00:00:00'", '00:00:00'],
      ["'-00:00:01'", '-00:00:01'],
    ],
  },
  {
    type: 'TIME(1)',
    values: [
      ["'-00:00:00.5'", '-00:00:00.5'],
      ["'100:00:00.1'", '100:00:00.1'],
    ],
  },
  {
    type: 'TIME(3)',
    values: [
      ["'-23:59:59.999'", '-23:59:59.999'],
      ["'-01:00:00'", '-01:00:00.000'],
    ],
  },
  {
    type: 'TIME(6)',
    values: [
      ["'838:59:59.999999'", '838:59:59.999999'],
      ["'-838:59:59.999999'", '-838:59:59.999999'],
      ["'-00:00:00.000001'", '-00:00:00.000001'],
      ["'24:00:00.000001'", '24:00:00.000001'],
    ],
  },
];

const EMOJI = 'a\u{1F389} \u00e9\u00df\u65e5 ';
/** What becomes of a surrogate that was stored on its own. */
const NOT_TEXT = '\ufffd'.repeat(3);
const TEXTS: ValueCase[] = [
  {
    type: 'CHAR(10) CHARACTER SET utf8mb4',
    values: [
      ["'ab  '", 'ab'],
      ["''", ''],
      ["'\u{1F389}'", '\u{1F389}'],
    ],
  },
  { type: 'CHAR(255) CHARACTER SET utf8mb4', values: [[`'${'\u65e5'.repeat(255)}'`, '\u65e5'.repeat(255)]] },
  {
    type: 'VARCHAR(300) CHARACTER SET utf8mb4',
    values: [
      [`'${EMOJI}'`, EMOJI],
      [`'${'x'.repeat(300)}'`, 'x'.repeat(300)],
    ],
  },
  {
    type: 'VARCHAR(20) CHARACTER SET utf8mb4',
    values: [
      ["'a\\0b\\\\c\\'\\n'", "a\0b\\c'\n"],
      ["'\\uFEFFbom'".replace('\\uFEFF', '\uFEFF'), '\uFEFFbom'],
    ],
  },
  { type: 'VARCHAR(10) CHARACTER SET utf8mb3', values: [["'\u65e5\u00e9 '", '\u65e5\u00e9 ']] },
  {
    type: 'VARCHAR(10) CHARACTER SET latin1',
    values: [
      ["'\u00e9\u20ac\u0178 '", '\u00e9\u20ac\u0178 '],
      ["_latin1 X'818d8f909d80ff'", '\x81\x8d\x8f\x90\x9d\u20ac\u00ff'],
    ],
  },
  {
    type: 'VARCHAR(10) CHARACTER SET latin1 COLLATE latin1_swedish_nopad_ci',
    values: [["'\u00e9\u20ac '", '\u00e9\u20ac ']],
  },
  { type: 'VARCHAR(10) CHARACTER SET ascii', values: [["'abc '", 'abc ']] },
  { type: 'VARCHAR(10) CHARACTER SET ucs2', values: [["'\u00e9\u65e5 '", '\u00e9\u65e5 ']] },
  { type: 'VARCHAR(10) CHARACTER SET utf16', values: [[`'${EMOJI}'`, EMOJI]] },
  { type: 'VARCHAR(10) CHARACTER SET utf16 COLLATE utf16_uca1400_ai_ci', values: [[`'${EMOJI}'`, EMOJI]] },
  { type: 'VARCHAR(10) CHARACTER SET utf16le', values: [[`'${EMOJI}'`, EMOJI]] },
  { type: 'VARCHAR(10) CHARACTER SET utf32', values: [[`'${EMOJI}'`, EMOJI]] },
  { type: 'CHAR(3) CHARACTER SET ucs2', values: [["_ucs2 X'0061D83DDE00'", `a${NOT_TEXT}${NOT_TEXT}`]] },
  { type: 'CHAR(3) CHARACTER SET utf32', values: [["_utf32 X'0000D8000001F389'", `${NOT_TEXT}\u{1F389}`]] },
  { type: 'CHAR(3) CHARACTER SET utf8mb3', values: [["_utf8mb3 X'61EDA0BD'", `a${NOT_TEXT}`]] },
  { type: 'VARCHAR(10) CHARACTER SET gbk', values: [["'\u65e5\u672ca'", '\u65e5\u672ca']] },
  { type: 'VARCHAR(10) CHARACTER SET cp1251', values: [["'\u0416\u0436'", '\u0416\u0436']] },
  { type: 'TINYTEXT CHARACTER SET utf8mb4', values: [[`'${EMOJI}'`, EMOJI]] },
  { type: 'TEXT CHARACTER SET latin1', values: [["'\u00e9\u20ac'", '\u00e9\u20ac']] },
  { type: 'MEDIUMTEXT', values: [[`REPEAT('\u00e9', 70000)`, '\u00e9'.repeat(70000)]] },
  {
    type: 'LONGTEXT',
    values: [
      [`'${EMOJI}'`, EMOJI],
      ['NULL', null],
    ],
  },
  {
    type: 'VARCHAR(300) COMPRESSED',
    values: [
      [`REPEAT('\u00e9', 300)`, '\u00e9'.repeat(300)],
      ["''", ''],
      ["'x'", 'x'],
    ],
  },
  { type: 'TEXT COMPRESSED CHARACTER SET latin1', values: [[`REPEAT('\u20ac', 3000)`, '\u20ac'.repeat(3000)]] },
  {
    type: "ENUM('a','\u00e9','')",
    values: [
      ["'\u00e9'", '\u00e9'],
      ["''", ''],
      ["'no such'", ''],
      ['NULL', null],
    ],
  },
  {
    type: "ENUM('x,y','it''s') CHARACTER SET latin1",
    values: [
      ["'x,y'", 'x,y'],
      ["'it''s'", "it's"],
    ],
  },
  { type: "ENUM('x','\u0436') CHARACTER SET ucs2", values: [["'\u0436'", '\u0436']] },
  {
    type: `ENUM(${Array.from({ length: 300 }, (_, i) => `'e${i}'`)})`,
    values: [
      ["'e299'", 'e299'],
      ["'e0'", 'e0'],
    ],
  },
  {
    type: "SET('a','b','\u00fc')",
    values: [
      ["'\u00fc,a'", ['a', '\u00fc']],
      ["''", []],
      ["'b,b'", ['b']],
    ],
  },
  {
    type: `SET(${Array.from({ length: 64 }, (_, i) => `'s${i}'`)})`,
    values: [["'s63,s0,s32'", ['s0', 's32', 's63']]],
  },
];

const BYTES: ValueCase[] = [
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

const UUID_V1 = '123e4567-e89b-12d3-a456-426655440000';
const DECLARED: ValueCase[] = [
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

const GENERATED: ValueCase[] = [
  {
    type: 'INT AS (id * 2) VIRTUAL',
    values: [
      ['DEFAULT', 2],
      ['DEFAULT', 4],
    ],
  },
  {
    type: "VARCHAR(20) AS (CONCAT('n', id)) PERSISTENT",
    values: [
      ['DEFAULT', 'n1'],
      ['DEFAULT', 'n2'],
    ],
  },
  { type: 'INT INVISIBLE', values: [['7', 7]] },
];

export const VALUE_CASES: readonly ValueCase[] = [...NUMBERS, ...TIMES, ...TEXTS, ...BYTES, ...DECLARED, ...GENERATED];
