import type { Value } from '../types.ts';
import type { DeclaredType } from './supported.ts';

/** A column type and its edge values. */
export interface ValueCase {
  /** The column's definition. */
  type: string;
  declared?: DeclaredType;
  /** What is inserted, as SQL, and its canonical value. */
  values: [sql: string, canonical: Value][];
}

export const b64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
