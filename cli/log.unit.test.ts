import { expect, it } from '@jest/globals';
import { openMemoryLog } from '../log/index.ts';
import { save } from './log.ts';

it('refuses to save a log that cannot copy itself, and says what can', async () => {
  await expect(save(openMemoryLog({}), 'log.sqlite')).rejects.toMatchObject({
    code: 'BNY-CLI-REFUSED',
    cure: expect.stringContaining('the system that holds it'),
  });
});
