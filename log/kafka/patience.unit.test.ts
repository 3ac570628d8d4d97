import { describe, expect, it } from '@jest/globals';
import { logFault } from '../errors.ts';
import { patiently } from './patience.ts';

const away = () => new Error('ECONNREFUSED');

describe('patience', () => {
  it('tries again what passes, and nothing else', async () => {
    let tries = 0;
    const third = async () => {
      if (++tries < 3) throw away();
      return tries;
    };
    expect(await patiently('broker:9092', third)).toBe(3);
    const fenced = async () => {
      tries++;
      throw logFault('BNY-LOG-FENCED');
    };
    await expect(patiently('broker:9092', fenced)).rejects.toMatchObject({ code: 'BNY-LOG-FENCED' });
    expect(tries).toBe(4);
  });

  it.each(['before the first try', 'during a try', 'between two'])('ends when it is aborted %s', async (when) => {
    const stop = new AbortController();
    if (when === 'before the first try') stop.abort();
    let tries = 0;
    const failing = async () => {
      tries++;
      if (when === 'during a try') stop.abort();
      if (when === 'between two') setImmediate(() => stop.abort());
      if (tries < 3) throw away();
    };
    await expect(patiently('broker:9092', failing, { signal: stop.signal })).rejects.toMatchObject({
      code: 'BNY-LOG-UNREACHABLE',
      found: expect.stringContaining('ECONNREFUSED'),
    });
    expect(tries).toBe(1);
  });
});
