import { BYTES } from './test-bytes.ts';
import type { ValueCase } from './test-case.ts';
import { DECLARED } from './test-declared.ts';
import { NUMBERS } from './test-numbers.ts';
import { TEXTS } from './test-texts.ts';
import { TIMES } from './test-times.ts';

const GENERATED: ValueCase[] = [
  {
    type: 'INT AS (id * 2) VIRTUAL',
    values: [
      ['DEFAULT', 2],
      ['DEFAULT', 4],
    ],
  },
  {
    type: "VARCHAR(20) AS (CONCAT('n', id)) PERSISTENT",
    values: [
      ['DEFAULT', 'n1'],
      ['DEFAULT', 'n2'],
    ],
  },
  { type: 'INT INVISIBLE', values: [['7', 7]] },
];

/** Every source runs through these. */
export const VALUE_CASES: readonly ValueCase[] = [...NUMBERS, ...TIMES, ...TEXTS, ...BYTES, ...DECLARED, ...GENERATED];
