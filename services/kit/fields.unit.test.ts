import { describe, expect, it } from '@jest/globals';
import { changedFields, fields, type Row } from './index.ts';

describe('the fields of a row', () => {
  it('are its columns in camel case, in their order', () => {
    const row = { id: 1, sent_at_utc: null, Line_2: 'x', _x: [] };
    expect(Object.entries(fields(row))).toEqual([
      ['id', 1],
      ['sentAtUtc', null],
      ['Line2', 'x'],
      ['X', []],
    ]);
  });

  it('are named when an update changed them', () => {
    const before = { id: 1, sent_at: null, line_2: { a: [1] } };
    const changed = (after: Row) => changedFields({ table: 'orders', kind: 'update', key: [1], before, after });
    expect(changed({ ...before, line_2: { a: [1] } })).toEqual([]);
    expect(changed({ ...before, sent_at: 'x', line_2: { a: [2] } })).toEqual(['sentAt', 'line2']);
  });
});
