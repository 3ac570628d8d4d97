/** Decodes the bytes from `start` to `end`. */
export type TextDecode = (bytes: Buffer, start: number, end: number) => string;

/**
 * Charsets whose conversion by the server equals the platform's for every code, tested code by code. The others are
 * refused by name: Japanese, Korean, Chinese ones but gbk and some DOS ones differ in some codes.
 */
const SAME_AS_PLATFORM: Readonly<Record<string, string>> = {
  koi8r: 'koi8-r',
  latin2: 'iso-8859-2',
  latin7: 'iso-8859-13',
  cp1250: 'windows-1250',
  cp1251: 'windows-1251',
  cp1256: 'windows-1256',
  cp1257: 'windows-1257',
  macroman: 'macintosh',
  gbk: 'gbk',
};

/** Those whose every code is tested; the Unicode ones need none. */
export const EXACT_CHARSETS = ['ascii', 'latin1', ...Object.keys(SAME_AS_PLATFORM)];

/** Undefined for a charset that cannot be decoded as the server does it. */
export function textDecoder(charset: string): TextDecode | undefined {
  switch (charset) {
    case 'utf8mb4':
    case 'utf8mb3':
    case 'utf8':
      return (bytes, start, end) => bytes.toString('utf8', start, end);
    case 'ascii':
      return (bytes, start, end) => bytes.toString('latin1', start, end);
    case 'latin1':
      return (bytes, start, end) => cp1252(bytes.toString('latin1', start, end));
    case 'utf16le':
      return (bytes, start, end) => bytes.toString('utf16le', start, end);
    case 'ucs2':
      return (bytes, start, end) => bigEndian(bytes, start, end).replace(/[\ud800-\udfff]/g, SURROGATE);
    case 'utf16':
      return bigEndian;
    case 'utf32':
      return utf32;
  }
  const label = SAME_AS_PLATFORM[charset];
  if (label === undefined) return undefined;
  const decoder = new TextDecoder(label, { ignoreBOM: true });
  return (bytes, start, end) => decoder.decode(bytes.subarray(start, end));
}

/** MariaDB's latin1 is cp1252. A table of its own: some versions of Node decode `windows-1252` as ISO 8859-1. */
const CP1252_UPPER =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';

function cp1252(text: string): string {
  return text.replace(/[\x80-\x9f]/g, (char) => CP1252_UPPER.charAt(char.charCodeAt(0) - 0x80));
}

function bigEndian(bytes: Buffer, start: number, end: number): string {
  return Buffer.from(bytes.subarray(start, end)).swap16().toString('utf16le');
}

/**
 * A stored surrogate is no text, and MariaDB lets it pass but in utf16: it comes out of the server as three bytes that
 * are no UTF-8. The same here, so that all sources agree.
 */
const SURROGATE = '\ufffd'.repeat(3);

function utf32(bytes: Buffer, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at += 4) {
    const code = bytes.readUInt32BE(at);
    text += code >= 0xd800 && code <= 0xdfff ? SURROGATE : String.fromCodePoint(code);
  }
  return text;
}
