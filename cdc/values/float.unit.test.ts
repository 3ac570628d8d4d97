import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { shortestFloat } from './float.ts';

it('gives back the same float32, and no shorter decimal does', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (float) => {
      const decimal = shortestFloat(float);
      expect(Math.fround(decimal)).toBe(float + 0);
      const digits = decimal.toExponential().replace(/e.*|\D/g, '').length;
      if (digits > 1 && Math.abs(float) < 2 ** 24) {
        expect(Math.fround(Number(float.toPrecision(digits - 1)))).not.toBe(float);
      }
    }),
    { numRuns: 2000 },
  );
});
