import { expect, it } from '@jest/globals';
import { openMemoryLog } from '../log/index.ts';
import { save, wholeNumber } from './log.ts';

it('refuses to save a log that cannot copy itself, and says what can', async () => {
  await expect(save(openMemoryLog({}), 'log.sqlite')).rejects.toMatchObject({
    code: 'BNY-CLI-REFUSED',
    cure: expect.stringContaining('the system that holds it'),
  });
});

it('takes digits alone for an offset', () => {
  expect(['0', '41', '', ' ', '1e3', '0x10', '-1', '1.5'].map(wholeNumber)).toEqual([
    0,
    41,
    ...Array(6).fill(Number.NaN),
  ]);
});
