import type { Decode } from './image-types.ts';

/** Nine digits take four bytes; fewer take this many. */
const BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4];

export function decimalWidth(precision: number, scale: number): number {
  const bytes = (digits: number) => Math.floor(digits / 9) * 4 + (BYTES[digits % 9] as number);
  return bytes(precision - scale) + bytes(scale);
}

/**
 * Big-endian groups of nine digits, shorter ones outermost. The first bit is 1 when the number is not negative; a
 * negative one has every bit flipped.
 */
export function decimalDecoder(precision: number, scale: number): Decode {
  const whole = groupsOf((precision - scale) % 9, Math.floor((precision - scale) / 9), 0);
  const fraction = groupsOf(0, Math.floor(scale / 9), scale % 9);
  return (cursor) => {
    const { bytes } = cursor;
    const negative = (bytes[cursor.at] as number) < 0x80;
    let first = true;
    const next = (width: number): number => {
      const top = 2 ** (8 * width);
      let group = bytes.readUIntBE(cursor.at, width);
      cursor.at += width;
      if (first) group = negative ? group + top / 2 : group - top / 2;
      first = false;
      return negative ? top - 1 - group : group;
    };
    let text = '';
    for (const { width, digits } of whole) {
      const group = next(width);
      if (text !== '') text += String(group).padStart(digits, '0');
      else if (group !== 0) text = String(group);
    }
    text = `${negative ? '-' : ''}${text || '0'}`;
    if (scale > 0) text += '.';
    for (const { width, digits } of fraction) text += String(next(width)).padStart(digits, '0');
    return text;
  };
}

function groupsOf(before: number, full: number, after: number): { width: number; digits: number }[] {
  const digits = [before, ...Array.from({ length: full }, () => 9), after].filter((count) => count > 0);
  return digits.map((count) => ({ digits: count, width: BYTES[count] ?? 4 }));
}
