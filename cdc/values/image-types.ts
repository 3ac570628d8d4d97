import { inflateRawSync, inflateSync } from 'node:zlib';
import type { Value } from '../types.ts';
import { shortestFloat } from './float.ts';
import { inet4Text, inet6Text, uuidText } from './hidden-types.ts';
import { decimalDecoder, decimalWidth } from './image-decimal.ts';
import { datetimeDecoder, readDate, timeDecoder, timestampDecoder } from './image-time.ts';
import { canonicalJson } from './json.ts';
import type { DeclaredType } from './supported.ts';
import { textDecoder } from './text.ts';

/** A place in a row image, moved on by whoever reads. */
export interface Cursor {
  bytes: Buffer;
  at: number;
  /** What could be read only as raw text: set by a decoder, taken by the reader of the event. */
  problem: string | undefined;
}

/** Reads one value that is not NULL and moves the cursor past it. */
export type Decode = (cursor: Cursor) => Value;

/** A column as the table map of a row event describes it. */
export interface ImageColumn {
  name: string;
  /** MYSQL_TYPE_*; of ENUM and SET the real type. */
  type: number;
  meta: { readonly [field: string]: number };
  unsigned: boolean;
  /** Undefined: binary. */
  charset: string | undefined;
  /** Of ENUM and SET, in the column's charset. */
  labels: readonly Buffer[] | undefined;
}

const TINY = 1;
const SHORT = 2;
const LONG = 3;
const FLOAT = 4;
const DOUBLE = 5;
const OLD_TIMESTAMP = 7;
const LONGLONG = 8;
const INT24 = 9;
const DATE = 10;
const OLD_TIME = 11;
const OLD_DATETIME = 12;
const YEAR = 13;
const VARCHAR = 15;
const BIT = 16;
const TIMESTAMP = 17;
const DATETIME = 18;
const TIME = 19;
const COMPRESSED_BLOB = 140;
const COMPRESSED_VARCHAR = 141;
const JSON_TYPE = 245;
const DECIMAL = 246;
const ENUM = 247;
const SET = 248;
const BLOB = 252;
const STRING = 254;
const GEOMETRY = 255;

export const INTEGERS: ReadonlySet<number> = new Set([TINY, SHORT, LONG, LONGLONG, INT24]);

/** Types whose values are bytes, with a length before them. */
export const BYTES: ReadonlySet<number> = new Set([VARCHAR, STRING, BLOB, COMPRESSED_BLOB, COMPRESSED_VARCHAR]);

/** The decoder of a column, or what is wrong with it. */
export function decoderOf(column: ImageColumn, declared: DeclaredType | undefined): Decode | string {
  const { type, meta } = column;
  if (BYTES.has(type)) return bytesDecoder(column, declared);
  if (declared !== undefined) return `no text and not binary, declared ${declared}`;
  switch (type) {
    case TINY:
    case SHORT:
    case INT24:
    case LONG:
      return integerDecoder(widthOf(column) as number, column.unsigned);
    case LONGLONG:
      return column.unsigned ? readBigUnsigned : readBigSigned;
    case FLOAT:
      return readFloat;
    case DOUBLE:
      return readDouble;
    case DECIMAL:
      return decimalDecoder(field(meta, 'precision'), field(meta, 'decimals'));
    case YEAR:
      return readYear;
    case DATE:
      return readDate;
    case DATETIME:
      return datetimeDecoder(field(meta, 'decimals'));
    case TIMESTAMP:
      return timestampDecoder(field(meta, 'decimals'));
    case TIME:
      return timeDecoder(field(meta, 'decimals'));
    case BIT:
      return base64Of(widthOf(column) as number);
    case ENUM:
    case SET:
      return labelDecoder(column);
    case OLD_TIMESTAMP:
    case OLD_TIME:
    case OLD_DATETIME:
      return 'in an old temporal format';
    default:
      return type === GEOMETRY ? 'GEOMETRY' : `of type ${type}`;
  }
}

/** Passes over a value; undefined when its width stands nowhere. */
export function skipOf(column: ImageColumn): ((cursor: Cursor) => null) | undefined {
  const width = widthOf(column);
  if (width !== undefined) {
    return (cursor) => {
      cursor.at += width;
      return null;
    };
  }
  const prefix = prefixOf(column);
  if (prefix === undefined) return undefined;
  return (cursor) => {
    const length = cursor.bytes.readUIntLE(cursor.at, prefix);
    cursor.at += prefix + length;
    return null;
  };
}

function field(meta: ImageColumn['meta'], name: string): number {
  const value = meta[name];
  if (value === undefined) throw new TypeError(`a table map without ${name}`);
  return value;
}

const FIXED: Readonly<Record<number, number>> = {
  [TINY]: 1,
  [SHORT]: 2,
  [INT24]: 3,
  [LONG]: 4,
  [LONGLONG]: 8,
  [FLOAT]: 4,
  [DOUBLE]: 8,
  [YEAR]: 1,
  [DATE]: 3,
};

function widthOf({ type, meta }: ImageColumn): number | undefined {
  switch (type) {
    case DECIMAL:
      return decimalWidth(field(meta, 'precision'), field(meta, 'decimals'));
    case BIT:
      return (field(meta, 'bits') + 7) >> 3;
    case ENUM:
    case SET:
      return field(meta, 'size');
    case TIMESTAMP:
      return 4 + ((field(meta, 'decimals') + 1) >> 1);
    case DATETIME:
      return 5 + ((field(meta, 'decimals') + 1) >> 1);
    case TIME:
      return 3 + ((field(meta, 'decimals') + 1) >> 1);
    default:
      return FIXED[type];
  }
}

/** Bytes of the length before the value. */
function prefixOf({ type, meta }: ImageColumn): number | undefined {
  switch (type) {
    case VARCHAR:
    case STRING:
    case COMPRESSED_VARCHAR:
      return field(meta, 'max_length') > 255 ? 2 : 1;
    case BLOB:
    case COMPRESSED_BLOB:
    case JSON_TYPE:
    case GEOMETRY:
      return field(meta, 'length_size');
    default:
      return undefined;
  }
}

function integerDecoder(width: number, unsigned: boolean): Decode {
  return unsigned
    ? (cursor) => {
        const value = cursor.bytes.readUIntLE(cursor.at, width);
        cursor.at += width;
        return value;
      }
    : (cursor) => {
        const value = cursor.bytes.readIntLE(cursor.at, width);
        cursor.at += width;
        return value;
      };
}

const TWO_32 = 2 ** 32;

function readBigSigned(cursor: Cursor): Value {
  const { bytes, at } = cursor;
  cursor.at += 8;
  const value = bytes.readInt32LE(at + 4) * TWO_32 + bytes.readUInt32LE(at);
  return Number.isSafeInteger(value) ? value : String(bytes.readBigInt64LE(at));
}

function readBigUnsigned(cursor: Cursor): Value {
  const { bytes, at } = cursor;
  cursor.at += 8;
  const value = bytes.readUInt32LE(at + 4) * TWO_32 + bytes.readUInt32LE(at);
  return Number.isSafeInteger(value) ? value : String(bytes.readBigUInt64LE(at));
}

function readFloat(cursor: Cursor): Value {
  const value = cursor.bytes.readFloatLE(cursor.at);
  cursor.at += 4;
  return shortestFloat(value);
}

function readDouble(cursor: Cursor): Value {
  const value = cursor.bytes.readDoubleLE(cursor.at);
  cursor.at += 8;
  return value + 0;
}

function readYear(cursor: Cursor): Value {
  const value = cursor.bytes[cursor.at++] as number;
  return value === 0 ? 0 : value + 1900;
}

function base64Of(width: number): Decode {
  return (cursor) => {
    const value = cursor.bytes.toString('base64', cursor.at, cursor.at + width);
    cursor.at += width;
    return value;
  };
}

function labelDecoder({ type, meta, charset, labels }: ImageColumn): Decode | string {
  const decode = textDecoder(charset ?? 'latin1');
  if (!decode) return `in charset ${charset}`;
  if (!labels) return 'without its labels';
  const texts = labels.map((label) => decode(label, 0, label.length));
  return type === ENUM ? enumDecoder(field(meta, 'size'), texts) : setDecoder(field(meta, 'size'), texts);
}

function enumDecoder(width: number, labels: readonly string[]): Decode {
  return (cursor) => {
    const index = cursor.bytes.readUIntLE(cursor.at, width);
    cursor.at += width;
    // Index 0 is what a value that is no label became.
    return labels[index - 1] ?? '';
  };
}

function setDecoder(width: number, labels: readonly string[]): Decode {
  return (cursor) => {
    const { bytes, at } = cursor;
    cursor.at += width;
    return labels.filter((_, i) => ((bytes[at + (i >> 3)] as number) >> (i & 7)) & 1);
  };
}

/** What a value's bytes mean, once the length before them is read. */
type Meaning = (bytes: Buffer, start: number, end: number, cursor: Cursor) => Value;

function bytesDecoder(column: ImageColumn, declared: DeclaredType | undefined): Decode | string {
  const meaning = meaningOf(column, declared);
  if (typeof meaning === 'string') return meaning;
  const prefix = prefixOf(column) as number;
  const compressed = column.type === COMPRESSED_BLOB || column.type === COMPRESSED_VARCHAR;
  return (cursor) => {
    const { bytes } = cursor;
    const start = cursor.at + prefix;
    const end = start + (prefix === 1 ? (bytes[cursor.at] as number) : bytes.readUIntLE(cursor.at, prefix));
    cursor.at = end;
    if (!compressed) return meaning(bytes, start, end, cursor);
    const plain = uncompress(bytes.subarray(start, end));
    return meaning(plain, 0, plain.length, cursor);
  };
}

function meaningOf(column: ImageColumn, declared: DeclaredType | undefined): Meaning | string {
  const { type, charset, meta, name } = column;
  if (charset !== undefined) {
    const decode = textDecoder(charset);
    if (!decode) return `in charset ${charset}`;
    if (declared === undefined) return decode;
    return declared === 'json'
      ? (bytes, start, end, cursor) => readJson(decode(bytes, start, end), name, cursor)
      : `text, declared ${declared}`;
  }
  if (declared === 'json') return 'binary, declared json';
  const fixed = type === STRING ? field(meta, 'max_length') : 0;
  if (declared !== undefined) {
    const [width, print] = HIDDEN_TYPES[declared];
    return fixed === width
      ? (bytes, start, end) => print(padded(bytes, start, end, width))
      : `binary of ${fixed} bytes, declared ${declared}`;
  }
  return (bytes, start, end) =>
    end - start < fixed ? padded(bytes, start, end, fixed).toString('base64') : bytes.toString('base64', start, end);
}

const HIDDEN_TYPES = { uuid: [16, uuidText], inet4: [4, inet4Text], inet6: [16, inet6Text] } as const;

/** Row images leave out the zero bytes at the end of a BINARY. */
function padded(bytes: Buffer, start: number, end: number, width: number): Buffer {
  const whole = Buffer.alloc(width);
  bytes.copy(whole, 0, start, end);
  return whole;
}

function readJson(text: string, name: string, cursor: Cursor): Value {
  try {
    return canonicalJson(text);
  } catch {
    cursor.problem = `column \`${name}\` holds text that is not JSON`;
    return text;
  }
}

/** MariaDB's COMPRESSED columns: a header byte (method, how many bytes of length follow, no zlib header), then deflate. */
function uncompress(bytes: Buffer): Buffer {
  const header = bytes[0];
  if (header === undefined) return bytes;
  if (header >> 4 === 0) return bytes.subarray(1);
  const body = bytes.subarray(1 + (header & 7));
  return header & 8 ? inflateRawSync(body) : inflateSync(body);
}
