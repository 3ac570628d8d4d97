import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { ask } from './ask.ts';

function asked(signal: AbortSignal = new AbortController().signal) {
  const input = new PassThrough();
  const output = Object.assign(new PassThrough(), { isTTY: true });
  return { input, answer: ask('Sure? ', signal, { input, output }) };
}

describe('a question', () => {
  it('is answered by a line', async () => {
    const { input, answer } = asked();
    input.write('yes\n');
    expect(await answer).toBe('yes');
  });

  it.each([
    ['Ctrl-C', '\x03'],
    ['Ctrl-D', '\x04'],
  ])('has no answer after %s', async (_, key) => {
    const { input, answer } = asked();
    input.write(key);
    expect(await answer).toBeUndefined();
  });

  it('has no answer when its input ends', async () => {
    const { input, answer } = asked();
    input.end();
    expect(await answer).toBeUndefined();
  });

  it('has no answer after a signal', async () => {
    const stop = new AbortController();
    const { answer } = asked(stop.signal);
    stop.abort();
    expect(await answer).toBeUndefined();
  });
});
