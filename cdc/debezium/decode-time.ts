import type { Decode } from './decode.ts';

const DAY_MS = 86_400_000;

/** Days since 1970. */
export const readDate: Decode = (value) => isoOf(Number(value) * DAY_MS).slice(0, 10);

/** As if it were UTC: milliseconds since 1970, microseconds when it has more than three digits of a fraction. */
export function readDatetime(fsp: number): Decode {
  if (fsp <= 3) return (value) => `${isoOf(Number(value)).slice(0, 19)}${fraction(Number(value), 3, fsp)}`;
  return (value) => {
    // Beyond what a number holds: such digits come as text.
    const micros = BigInt(value as number | string);
    const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
    const seconds = Number((micros - rest) / 1_000_000n);
    return `${isoOf(seconds * 1000).slice(0, 19)}${fraction(Number(rest), 6, fsp)}`;
  };
}

const EPOCH = '1970-01-01T00:00:00';

/** An ISO text in UTC, its fraction without the last zeros. The epoch itself no TIMESTAMP can hold: it is the zero date. */
export function readTimestamp(fsp: number): Decode {
  return (value) => {
    const [, time = '', digits = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(value as string) ?? [];
    const isZero = time === EPOCH && !/[1-9]/.test(digits);
    return `${isZero ? '0000-00-00T00:00:00' : time}${fsp > 0 ? `.${digits.padEnd(fsp, '0').slice(0, fsp)}` : ''}Z`;
  };
}

/** Microseconds, with a sign, of up to 838 hours. */
export function readTime(fsp: number): Decode {
  return (value) => {
    const micros = Number(value);
    const size = Math.abs(micros);
    const seconds = Math.floor(size / 1_000_000);
    const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    const text = parts.map((part) => String(part).padStart(2, '0')).join(':');
    return `${micros < 0 ? '-' : ''}${text}${fraction(size % 1_000_000, 6, fsp)}`;
  };
}

function isoOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** The last `width` digits of a whole number as a fraction of `fsp` digits. */
function fraction(number: number, width: number, fsp: number): string {
  if (fsp === 0) return '';
  const unit = 10 ** width;
  return `.${String(((number % unit) + unit) % unit)
    .padStart(width, '0')
    .slice(0, fsp)}`;
}
