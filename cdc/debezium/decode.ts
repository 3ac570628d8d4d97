import type { Value } from '../types.ts';
import { shortestFloat } from '../values/float.ts';
import { canonicalJson } from '../values/json.ts';
import type { DeclaredType } from '../values/supported.ts';
import { readDate, readDatetime, readTime, readTimestamp } from './decode-time.ts';
import type { Column } from './structures.ts';

/** One value that is not null, from Debezium's JSON. @throws Uncarried */
export type Decode = (value: unknown) => Value;

/** The decoder of a column's values, or why they cannot be carried. */
export function decoderOf(column: Column, declared: DeclaredType | undefined): Decode | string {
  const { type, length } = column;
  const base = baseOf(type);
  if (TEXT.has(base)) return textDecoder(column, declared);
  if (declared !== undefined) return `${base}, declared ${declared}`;
  switch (base) {
    case 'tinyint':
    case 'smallint':
    case 'mediumint':
    case 'int':
      // `INTEGER UNSIGNED`, spelt like this in a statement, comes with a sign.
      return /unsigned/i.test(type) ? (value) => (Number(value) + 2 ** 32) % 2 ** 32 : (value) => Number(value);
    case 'bool':
    case 'boolean':
      return 'BOOL in the statement that made it, of which Debezium tells only true and false: MODIFY it to TINYINT(1)';
    case 'bigint':
      return /unsigned/i.test(type) ? readUnsigned : readInteger;
    case 'decimal':
      return decimalReader(column.scale ?? 0);
    case 'float':
      return (value) => shortestFloat(Math.fround(Number(value)));
    case 'double':
      return (value) => Number(value) + 0;
    case 'bit':
      return bitsReader(length ?? 1);
    case 'year':
      // There is no year 1900 in a YEAR: it stands for 0.
      return (value) => (value === 1900 ? 0 : Number(value));
    case 'date':
      return readDate;
    case 'datetime':
      return readDatetime(length ?? 0);
    case 'timestamp':
      return readTimestamp(length ?? 0);
    case 'time':
      return readTime(length ?? 0);
    case 'enum':
    case 'set':
      return labelReader(base, column.labels ?? []);
    case 'binary':
      return (value) => padded(value as string, length ?? 1);
    case 'varbinary':
    case 'tinyblob':
    case 'blob':
    case 'mediumblob':
    case 'longblob':
      return (value) => value as string;
    default:
      return `${base}, which Debezium does not carry without loss`;
  }
}

const TEXT: ReadonlySet<string> = new Set(['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'json']);

const SYNONYMS: Readonly<Record<string, string>> = {
  integer: 'int',
  int1: 'tinyint',
  int2: 'smallint',
  int3: 'mediumint',
  int4: 'int',
  int8: 'bigint',
  numeric: 'decimal',
  dec: 'decimal',
  fixed: 'decimal',
  real: 'double',
  'double precision': 'double',
  float4: 'float',
  float8: 'double',
  middleint: 'mediumint',
  character: 'char',
  'character varying': 'varchar',
  nchar: 'char',
  nvarchar: 'varchar',
  'national char': 'char',
  'national character': 'char',
  'national varchar': 'varchar',
};

function textDecoder({ charset }: Column, declared: DeclaredType | undefined): Decode | string {
  const read = textReader(charset ?? 'utf8mb4');
  if (!read) return `in charset ${charset}, which Debezium does not carry without loss`;
  if (declared === undefined) return (value) => read(value as string);
  return declared === 'json' ? (value) => readJson(read(value as string)) : `text, declared ${declared}`;
}

/** `INT UNSIGNED ZEROFILL` → int: one word for one type, however the statement spelt it. */
export function baseOf(type: string): string {
  const base = type
    .toLowerCase()
    .replace(/ (signed|unsigned|zerofill)/g, '')
    .replace(/\(.*/, '')
    .trim();
  return SYNONYMS[base] ?? base;
}

/** A value of which Debezium gives less than is stored. Its message says what it is, never the value. */
export class Uncarried extends Error {}

/** Charsets that Debezium decodes as the server converts them, code by code, but for codes that they do not define. */
const EXACT: ReadonlySet<string> = new Set([
  ...['ascii', 'latin1', 'latin2', 'latin7', 'koi8r', 'cp1250', 'cp1251', 'cp1256', 'cp1257', 'macroman'],
]);
const UNICODE: ReadonlySet<string> = new Set(['utf8mb4', 'utf8mb3', 'utf8', 'utf16', 'utf16le']);
/** As the server gives out a surrogate that was stored as if it were a character. */
const SURROGATE = '\ufffd'.repeat(3);

function textReader(charset: string): ((text: string) => string) | undefined {
  if (UNICODE.has(charset)) return (text) => text;
  if (charset === 'ucs2') return (text) => text.replace(/[\ud800-\udfff]/g, SURROGATE);
  if (charset === 'utf32') return (text) => text.replace(/\p{Surrogate}/gu, SURROGATE);
  if (!EXACT.has(charset)) return undefined;
  return (text) => {
    if (text.includes('\ufffd')) throw new Uncarried(`bytes that ${charset} does not define`);
    return text;
  };
}

function readJson(text: string): Value {
  try {
    return canonicalJson(text);
  } catch {
    throw new Uncarried('text that is not JSON');
  }
}

function readInteger(value: unknown): Value {
  // Digits that a number would lose have been kept as text.
  return value as number | string;
}

/** Base64 of a big-endian two's complement number. */
function readUnsigned(value: unknown): Value {
  const hex = Buffer.from(value as string, 'base64').toString('hex');
  const number = BigInt(`0x${hex || '0'}`);
  return number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : String(number);
}

/** Java writes small ones with an exponent: `1E-30`. */
function decimalReader(scale: number): Decode {
  return (value) => {
    const [, sign = '', whole = '0', fraction = '', exponent = '0'] =
      /^(-?)(\d+)\.?(\d*)(?:E([+-]?\d+))?$/i.exec(value as string) ?? [];
    const shift = Number(exponent) + scale - fraction.length;
    const digits = shift >= 0 ? whole + fraction + '0'.repeat(shift) : (whole + fraction).slice(0, shift);
    const all = digits.replace(/^0+/, '').padStart(scale + 1, '0');
    const negative = sign === '-' && /[1-9]/.test(all);
    return `${negative ? '-' : ''}${all.slice(0, all.length - scale)}${scale > 0 ? `.${all.slice(-scale)}` : ''}`;
  };
}

/** BIT(1) is a boolean; longer ones have their bytes from the last to the first. */
function bitsReader(length: number): Decode {
  const bytes = (length + 7) >> 3;
  return (value) => {
    if (typeof value === 'boolean') return Buffer.from([value ? 1 : 0]).toString('base64');
    const whole = Buffer.alloc(bytes);
    Buffer.from(value as string, 'base64').copy(whole);
    return whole.reverse().toString('base64');
  };
}

function padded(base64: string, length: number): Value {
  const bytes = Buffer.from(base64, 'base64');
  return bytes.length >= length
    ? base64
    : Buffer.concat([bytes, Buffer.alloc(length - bytes.length)]).toString('base64');
}

/**
 * Debezium gives a label as its definition spells it, backslashes and all, and puts one more before each comma. Labels
 * that then look alike cannot be told apart.
 */
function labelReader(base: string, quotedLabels: readonly string[]): Decode | string {
  const spelt = quotedLabels.map((label) => label.replace(/^'([\s\S]*)'$/, '$1').replaceAll("''", "'"));
  const byText = new Map(spelt.map((label) => [label.replaceAll(',', '\\,'), unescaped(label)]));
  if (new Set(byText.values()).size < spelt.length) return `${base} with labels that Debezium gives the same text`;
  const labelOf = (text: string) => {
    const label = byText.get(text);
    if (label === undefined) throw new Uncarried('a label that its definition does not name');
    return label;
  };
  // What is no label is stored as an empty text.
  if (base === 'enum') return (value) => (value === '' ? '' : labelOf(value as string));
  return (value) => (value === '' ? [] : (value as string).split(',').map(labelOf));
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', 0: '\0', Z: '\x1a' };

function unescaped(sql: string): string {
  return sql.replace(/\\([\s\S])/g, (_, sign: string) => ESCAPES[sign] ?? sign);
}
