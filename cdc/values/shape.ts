import { createHash } from 'node:crypto';
import { BYTES, type ImageColumn, INTEGERS } from './image-types.ts';

/**
 * What the values of columns look like, as a short text: the same while a column merely gets more room. When it changes,
 * the values that are there have been converted.
 */
export function shapeOf(columns: readonly ImageColumn[]): string {
  const shapes = columns.map(({ name, type, meta, charset }) => {
    if (INTEGERS.has(type)) return [name, 'integer'];
    // Bytes of a fixed length are filled up to it.
    if (BYTES.has(type)) return charset === undefined ? [name, 'bytes', meta['max_length']] : [name, 'text'];
    return [name, type, meta['decimals'], meta['bits']];
  });
  return createHash('sha1').update(JSON.stringify(shapes)).digest('base64url').slice(0, 10);
}
