import { describe, expect, it } from '@jest/globals';
import type { CapturedTable } from '../types.ts';
import { reconfigured } from './configured.ts';
import { initialState } from './state.ts';

const TABLE: CapturedTable = { key: ['id'], columns: ['id', 'text', 'note', 'total'] };

function missed(before: CapturedTable, now: CapturedTable): string[] {
  const configured = (orders: CapturedTable) => [
    { name: 'orders', tables: { orders }, capture: {}, encode: () => ({ version: 1, data: '' }) },
  ];
  const { state } = reconfigured(initialState(['orders']), configured(before));
  return reconfigured(state, configured(now)).missed.map(({ what }) => what);
}

describe('a configuration that captures more than before', () => {
  it.each<[string, Partial<CapturedTable>, Partial<CapturedTable>, string[]]>([
    ['nothing', {}, {}, []],
    ['a column', {}, { columns: ['id', 'text', 'note', 'total', 'extra'] }, ['orders.extra']],
    ['what was excluded', { excluded: ['note'] }, {}, ['orders.note']],
    ['what was derived', { derived: ['total'] }, {}, ['orders.total']],
    ['another type', {}, { types: { text: 'json' } }, ['orders.text (json)']],
    ['less', {}, { excluded: ['note'], derived: ['total'] }, []],
  ])('is seen: %s', (_, before, now, expected) => {
    expect(missed({ ...TABLE, ...before }, { ...TABLE, ...now })).toEqual(expected);
  });
});
