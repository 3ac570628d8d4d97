import type { Value } from '../types.ts';

/** A digit or point run that may hold more than a double, or an exponent; also inside strings, where it costs only time. */
const NEEDS_CARE = /[\d.]{16}|\d[eE]/;

/**
 * A JSON text as a canonical value: keys sorted in every object, the last of duplicate keys kept, `-0` as `0`.
 *
 * A number stays a number if a double holds it exactly as written and, when it is an integer, safely
 * (`Number.isSafeInteger`); any other becomes the string of its own text: `9007199254740993`, `1e400`,
 * `0.12345678901234567890`. Every source goes through here, so all agree.
 *
 * @throws SyntaxError whose message quotes the text: never let it out.
 */
export function canonicalJson(text: string): Value {
  return sorted(NEEDS_CARE.test(text) ? (JSON.parse(text, exactly as Reviver) as Value) : (JSON.parse(text) as Value));
}

type Reviver = (key: string, value: unknown) => unknown;

function exactly(_key: string, value: unknown, { source }: { source: string }): unknown {
  if (typeof value !== 'number') return value;
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return source;
  return plainDecimal(source) === plainDecimal(String(value)) ? value : source;
}

/** Sign, digits without outer zeros, exponent: equal for equal numbers, however written. */
function plainDecimal(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = /^(-?)(\d*)\.?(\d*)(?:e(.*))?$/i.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

function sorted(value: Value): Value {
  if (typeof value === 'number') return value + 0;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const object = value as { readonly [key: string]: Value };
  const keys = Object.keys(object).sort(byCodeUnits);
  if (keys.includes('__proto__')) return Object.fromEntries(keys.map((key) => [key, sorted(object[key] as Value)]));
  const result: { [key: string]: Value } = {};
  for (const key of keys) result[key] = sorted(object[key] as Value);
  return result;
}

const byCodeUnits = (a: string, b: string) => (a < b ? -1 : 1);
