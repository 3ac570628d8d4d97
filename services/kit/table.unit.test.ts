import { describe, expect, it } from '@jest/globals';
import { Table } from './table.ts';

const table = new Table('orders', {
  from: 'orders',
  columns: { id: 'integer', shop: 'text', weight: 'real?', lines: 'json' },
  key: ['shop', 'id'],
});
const row = { id: 1, shop: 'a', weight: null, lines: [{ n: 1 }] };

describe('a table of a store', () => {
  it('takes a row in the order of its columns, and nothing beside them', () => {
    expect(table.values({ ...row, more: 'x' })).toEqual([1, 'a', null, '[{"n":1}]']);
    expect(table.values({ ...row, weight: 0.5, lines: 'x' })).toEqual([1, 'a', 0.5, '"x"']);
  });

  it.each([
    ['a column is missing', { weight: undefined }, 'orders.weight is missing'],
    ['one is null that may not be', { id: null }, 'orders.id is null, but not nullable'],
    ['text stands for a number', { id: '1' }, 'orders.id takes integer, not string "1"'],
    ['a number stands for text', { shop: 1 }, 'orders.shop takes text, not number 1'],
    ['an integer has a fraction', { id: 1.5 }, 'orders.id takes integer, not number 1.5'],
    ['an integer is too large to be exact', { id: 2 ** 53 }, 'orders.id takes integer'],
  ])('refuses a row when %s', (_, change, message) => {
    expect(() => table.values({ ...row, ...change })).toThrow(message);
  });

  it('tells rows apart by key, whatever stands in it', () => {
    expect(table.keyOf(row)).toEqual(['a', 1]);
    expect(table.identity(['a,1', 2])).not.toBe(table.identity(['a', '1,2']));
  });

  it('must have a key, and its columns', () => {
    const define = (key: string[], indexes: string[][] = []) =>
      new Table('orders', { from: 'orders', columns: { id: 'integer' }, key, indexes });
    expect(() => define([])).toThrow(/table orders has no key/);
    expect(() => define(['no'])).toThrow(/no column no/);
    expect(() => define(['id'], [['id', 'gone']])).toThrow(/no column gone/);
  });
});
