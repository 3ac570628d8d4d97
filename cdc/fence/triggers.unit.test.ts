import { describe, expect, it } from '@jest/globals';
import { createSql, type Fence, isOf, triggersOf } from './triggers.ts';

const FENCE: Fence = {
  domain: 'orders',
  schema: 'shop',
  banyanSchema: 'ban`yan',
  user: 'banyan',
  handback: "hand'back",
  tables: { orders: { key: ['id'], columns: ['id', 'title'], derived: ['total'] } },
};

const namesOf = (table: string) => triggersOf(FENCE, table, ['id']).map(({ name }) => name);

describe('the triggers of a fence', () => {
  it('are named after event and table', () => {
    expect(namesOf('orders')).toEqual(['insert', 'update', 'delete'].map((event) => `banyan_fence_${event}_orders`));
  });

  it('have names of at most 64 characters, unlike for tables whose names differ at the end only', () => {
    const long = 'ä'.repeat(63);
    const names = [
      ...namesOf(`${long}1`),
      ...namesOf(`${long}2`),
      ...namesOf('x'.repeat(44)),
      ...namesOf('x'.repeat(45)),
    ];
    expect(Math.max(...names.map((name) => [...name].length))).toBe(64);
    expect(new Set(names).size).toBe(names.length);
    expect(namesOf(`${long}1`)).toEqual(namesOf(`${long}1`));
  });

  it('quote what is put into them', () => {
    const [insert] = triggersOf(FENCE, 'or`ders', ['id']);
    const sql = insert ? createSql(FENCE, insert) : '';
    for (const part of [
      "DEFINER = 'banyan'@'%'",
      '`banyan_fence_insert_or``ders`',
      '`ban``yan`.ownership',
      "'hand''back@'",
    ])
      expect(sql).toContain(part);
  });

  it('belong to one domain', () => {
    const triggers = triggersOf(FENCE, 'orders', ['id']);
    expect(triggers.map((trigger) => isOf(FENCE, trigger))).toEqual([true, true, true]);
    expect(triggers.some((trigger) => isOf({ domain: 'order' }, trigger))).toBe(false);
  });

  it('compare every column that is not derived, and only where there are derived ones', () => {
    const columns = ['id', 'title', 'total', 'secret'];
    const compared = (fence: Fence) =>
      columns.filter((column) =>
        triggersOf(fence, 'orders', columns).some(({ body }) => body.includes(`BINARY NEW.\`${column}\``)),
      );
    expect(compared(FENCE)).toEqual(['id', 'title', 'secret']);
    expect(compared({ ...FENCE, tables: { orders: { key: ['id'], columns: ['id'] } } })).toEqual([]);
  });
});
