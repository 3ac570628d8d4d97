import type { ValueCase } from './test-case.ts';

const EMOJI = 'a\u{1F389} \u00e9\u00df\u65e5 ';
/** What becomes of a surrogate that was stored on its own. */
const NOT_TEXT = '\ufffd'.repeat(3);
export const TEXTS: readonly ValueCase[] = [
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
