import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { ProgressLine } from './progress-line.ts';
import { brief } from './table.ts';

let told: string[];
beforeEach(() => {
  told = [];
  jest.useFakeTimers();
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => told.push(String(text)) > 0);
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

it('prints a plain line now and then, and an unchanged one not again', () => {
  const line = new ProgressLine();
  for (const text of ['1 row', '2 rows', '3 rows', '3 rows', '4 rows']) {
    line.show(text);
    jest.setSystemTime(Date.now() + 2500);
  }
  line.show('5 rows');
  line.show('6 rows');
  expect(told).toEqual(['1 row\n', '2 rows\n', '3 rows\n', '4 rows\n', '5 rows\n']);
});

it('folds a message into one line and cuts what is longer than its cell', () => {
  expect(brief('a row\n  would not fit\n', 40)).toBe('a row would not fit');
  expect(brief('0123456789', 5)).toBe('0123…');
});
