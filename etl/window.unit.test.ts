import { describe, expect, it } from '@jest/globals';
import type { Change, Row } from '../cdc/index.ts';
import { Window } from './window.ts';

const row = (id: number, title: string): { key: number[]; row: Row } => ({ key: [id], row: { id, title } });
const update = (id: number, title: string): Change => ({
  table: 't',
  kind: 'update',
  key: [id],
  before: { id },
  after: { id, title },
});

function window(...rows: { key: number[]; row: Row }[]): Window {
  const made = new Window('w', 't');
  made.rows = rows;
  return made;
}

describe('a chunk between its watermarks', () => {
  it('is seeded as it was read when nothing happened meanwhile', () => {
    const w = window(row(1, 'a'), row(2, 'b'));
    w.open();
    expect(w.close().map(({ after }) => after)).toEqual([
      { id: 1, title: 'a' },
      { id: 2, title: 'b' },
    ]);
  });

  it('loses the rows that an event stands for', () => {
    const w = window(row(1, 'a'), row(2, 'b'));
    w.open();
    w.pass(update(1, 'new'), true);
    expect(w.close().map(({ key }) => key)).toEqual([[2]]);
  });

  it('loses deleted rows, also when the capture made no event of it', () => {
    const w = window(row(1, 'a'), row(2, 'b'));
    w.open();
    w.pass({ table: 't', kind: 'delete', key: [2], before: { id: 2, title: 'b' } }, false);
    expect(w.close().map(({ key }) => key)).toEqual([[1]]);
  });

  it('takes the newest state of a row whose change was no event', () => {
    const w = window(row(1, 'a'));
    w.open();
    w.pass(update(1, 'b'), false);
    w.pass(update(1, 'c'), false);
    expect(w.close().map(({ after }) => after)).toEqual([{ id: 1, title: 'c' }]);
  });

  it('does not bring back a row by a silent change after its event', () => {
    const w = window(row(1, 'a'));
    w.open();
    w.pass(update(1, 'b'), false);
    w.pass(update(1, 'c'), true);
    expect(w.close()).toEqual([]);
  });

  it('heeds no change from before its low watermark: the chunk was read after it', () => {
    const w = window(row(1, 'a'));
    w.pass(update(1, 'older'), true);
    w.open();
    expect(w.close()).toHaveLength(1);
  });

  it('keeps the keys of different rows apart that look alike as text', () => {
    const w = new Window('w', 't');
    w.rows = [
      { key: ['1'], row: { id: '1' } },
      { key: [1], row: { id: 1 } },
    ];
    w.open();
    w.pass({ table: 't', kind: 'delete', key: [1], before: { id: 1 } }, true);
    expect(w.close().map(({ key }) => key)).toEqual([['1']]);
  });
});
