import type { Cursor, Decode } from './image-types.ts';

const TWO_DIGITS = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'));
const two = (value: number) => TWO_DIGITS[value] as string;

/** Three bytes: 15 bits of year, 4 of month, 5 of day. */
export function readDate(cursor: Cursor): string {
  const packed = cursor.bytes.readUIntLE(cursor.at, 3);
  cursor.at += 3;
  return date(packed >> 9, (packed >> 5) & 15, packed & 31);
}

/** Big-endian, offset so that it sorts: sign, 17 bits of years and months, 5 of days, 17 of the time of day. */
export function datetimeDecoder(fsp: number): Decode {
  const fraction = fractionReader(fsp);
  return (cursor) => {
    const { bytes, at } = cursor;
    // Five bytes: the sign and 17 bits of year * 13 + month, then 22 bits.
    const high = bytes.readUInt32BE(at);
    const low = bytes.readUInt32BE(at + 1);
    cursor.at += 5;
    const months = (high & 0x7fffffff) >>> 14;
    return `${date(Math.floor(months / 13), months % 13, (low >>> 17) & 31)}T${clock(low)}${fraction(cursor)}`;
  };
}

/** Seconds since 1970, unsigned (to 2106 from MariaDB 11.5 on); 0 is the zero date. */
export function timestampDecoder(fsp: number): Decode {
  const fraction = fractionReader(fsp);
  let lastDay = -1;
  let lastDate = '';
  return (cursor) => {
    const seconds = cursor.bytes.readUInt32BE(cursor.at);
    cursor.at += 4;
    const digits = fraction(cursor);
    if (seconds === 0 && !/[1-9]/.test(digits)) return `0000-00-00T00:00:00${digits}Z`;
    const day = Math.floor(seconds / 86_400);
    if (day !== lastDay) {
      lastDay = day;
      lastDate = new Date(day * 86_400_000).toISOString().slice(0, 10);
    }
    const rest = seconds - day * 86_400;
    const minutes = Math.floor(rest / 60);
    return `${lastDate}T${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(rest % 60)}${digits}Z`;
  };
}

/** Offset so that it sorts; a negative time is the negative of the whole number, its fraction included. */
export function timeDecoder(fsp: number): Decode {
  const width = (fsp + 1) >> 1;
  const scale = 2 ** (8 * width);
  const zero = 0x800000 * scale;
  return (cursor) => {
    const packed = cursor.bytes.readUIntBE(cursor.at, 3 + width) - zero;
    cursor.at += 3 + width;
    const size = Math.abs(packed);
    const time = Math.floor(size / scale);
    const hours = time >> 12;
    const text = `${hours < 100 ? two(hours) : hours}:${two((time >> 6) & 63)}:${two(time & 63)}`;
    return `${packed < 0 ? '-' : ''}${text}${digitsOf(size % scale, fsp)}`;
  };
}

function date(year: number, month: number, day: number): string {
  return `${two(Math.floor(year / 100))}${two(year % 100)}-${two(month)}-${two(day)}`;
}

function clock(packed: number): string {
  return `${two((packed >>> 12) & 31)}:${two((packed >>> 6) & 63)}:${two(packed & 63)}`;
}

function fractionReader(fsp: number): (cursor: Cursor) => string {
  const width = (fsp + 1) >> 1;
  if (width === 0) return () => '';
  return (cursor) => {
    const fraction = cursor.bytes.readUIntBE(cursor.at, width);
    cursor.at += width;
    return digitsOf(fraction, fsp);
  };
}

/** Two digits to a byte: an odd number of digits is stored with a zero behind it. */
function digitsOf(fraction: number, fsp: number): string {
  if (fsp === 0) return '';
  return `.${String(fraction)
    .padStart((fsp + 1) & ~1, '0')
    .slice(0, fsp)}`;
}
