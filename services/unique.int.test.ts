import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Site, startSite } from '../monolith/test-support.ts';
import { posts } from './posts/domain.ts';
import { profiles } from './profiles/domain.ts';
import { publications } from './publications/domain.ts';
import { isHandle } from './request.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite('unique_text');
});
afterAll(() => site.stop());

/** What collations fold, pad, expand, or pass over. */
const TRICKY = [
  ...[
    'a',
    'A',
    'á',
    'a\u0301',
    'a ',
    ' a',
    'a\u0000',
    'a\u00ad',
    'a\u200b',
    'ａ',
    'ª',
    'ab',
    'a-b',
    'a--b',
    'ba',
    'b-a',
  ],
  ...[
    'ss',
    'ß',
    'ẞ',
    's-s',
    'ae',
    'æ',
    'i',
    'I',
    'ı',
    'İ',
    'o',
    'ø',
    '0',
    'o0',
    '0o',
    '00',
    '1',
    'l',
    'a1',
    'a-1',
    '١',
    '',
    '-',
  ],
  ...['🌳', '🌲', 'aa', 'å', 'ij', 'ĳ', 'ch', 'c-h', 'll', 'dz', 'ǆ', 'a'.repeat(40), 'a'.repeat(39)],
];

const COLUMNS = [profiles, posts, publications].flatMap(({ unique }) =>
  Object.entries(unique).flatMap(([table, columns]) =>
    Object.entries(columns).map(([column, form]) => ({ table, column, form })),
  ),
);

it.each(COLUMNS)(
  'in $table, a $column is taken exactly when the collation says so',
  async ({ table, column, form }) => {
    const [[{ collation }]] = await site.db.raw(
      `SELECT COLLATION_NAME AS collation FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = 'unique_text' AND TABLE_NAME = ? AND COLUMN_NAME = ?`,
      [table, column],
    );
    // Commands let nothing else come near the column.
    const values = TRICKY.filter((text) => isHandle(text, 40));
    expect(values.length).toBeGreaterThan(20);
    const weights = await Promise.all(
      values.map(async (text) => {
        const [[{ weight }]] = await site.db.raw(`SELECT HEX(WEIGHT_STRING(? COLLATE ${collation})) AS weight`, [text]);
        return weight as string;
      }),
    );
    const equal = (of: readonly string[]) => values.map((_, i) => of.map((other) => other === of[i]));
    expect(equal(values.map(form))).toEqual(equal(weights));
  },
);
