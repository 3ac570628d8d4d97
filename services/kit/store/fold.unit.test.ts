import { describe, expect, it } from '@jest/globals';
import { Table } from '../table.ts';
import { Fold } from './fold.ts';

const tags = new Table('tags', {
  from: 'tags',
  columns: { weight: 'integer', note: 'integer', name: 'text' },
  key: ['note', 'name'],
});

function folded(fold: Fold) {
  const { cleared, puts, deletes } = fold.tables.get('tags') ?? { cleared: false, puts: new Map(), deletes: new Map() };
  return { cleared, puts: [...puts.values()], deletes: [...deletes.values()] };
}

const red = { note: 1, name: 'red', weight: 5 };

describe('a fold', () => {
  it('keeps the last of several states of a row', () => {
    const fold = new Fold();
    for (const weight of [1, 2, 3]) fold.put(tags, { ...red, weight });
    expect(folded(fold)).toEqual({ cleared: false, puts: [[3, 1, 'red']], deletes: [] });
  });

  it('forgets a row that was put and then deleted, and removes what may stand in the store', () => {
    const fold = new Fold();
    fold.put(tags, red);
    fold.delete(tags, [1, 'red']);
    expect(folded(fold)).toEqual({ cleared: false, puts: [], deletes: [[1, 'red']] });
  });

  it('keeps a row that was deleted and then put', () => {
    const fold = new Fold();
    fold.delete(tags, [1, 'red']);
    fold.put(tags, red);
    expect(folded(fold)).toEqual({ cleared: false, puts: [[5, 1, 'red']], deletes: [] });
  });

  it('forgets at a clear what came before it, and keeps what comes behind it', () => {
    const fold = new Fold();
    fold.put(tags, { ...red, name: 'blue' });
    fold.delete(tags, [2, 'red']);
    fold.clear(tags);
    fold.put(tags, red);
    expect(folded(fold)).toEqual({ cleared: true, puts: [[5, 1, 'red']], deletes: [] });
  });

  it.each([
    ['too few parts', [1], 'the key of tags is note, name'],
    ['too many parts', [1, 'red', 5], 'the key of tags is note, name'],
    ['its parts in another order', ['red', 1], 'tags.note takes integer, not string "red"'],
    ['a number as text', ['1', 'red'], 'tags.note takes integer, not string "1"'],
    ['a part missing', [1, undefined], 'tags.name is missing'],
  ])('refuses to delete by a key with %s, and keeps what it had', (_, key, message) => {
    const fold = new Fold();
    fold.put(tags, red);
    expect(() => fold.delete(tags, key as (string | number)[])).toThrow(message);
    expect(folded(fold)).toEqual({ cleared: false, puts: [[5, 1, 'red']], deletes: [] });
  });

  it('keeps the last good state when a row does not fit', () => {
    const fold = new Fold();
    fold.delete(tags, [1, 'red']);
    expect(() => fold.put(tags, { ...red, weight: 'heavy' })).toThrow('tags.weight takes integer');
    expect(folded(fold)).toEqual({ cleared: false, puts: [], deletes: [[1, 'red']] });
  });
});
