import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from './json.ts';

describe('canonical JSON', () => {
  it.each([
    ['{"b":1,"a":2}', '{"a":2,"b":1}'],
    ['[{"b":1,"a":{"d":1,"c":2}}]', '[{"a":{"c":2,"d":1},"b":1}]'],
    ['{"a":1,"a":2}', '{"a":2}'],
    ['{"b":1,"__proto__":2}', '{"__proto__":2,"b":1}'],
    ['[9007199254740991,-9007199254740991]', '[9007199254740991,-9007199254740991]'],
    ['[9007199254740992,-9007199254740993]', '["9007199254740992","-9007199254740993"]'],
    ['[1.0,1e2,1E-2,0.10,-0,-0.0]', '[1,100,0.01,0.1,0,0]'],
    ['[1e20,1e400,1e-400,1.00000000000000000001]', '["1e20","1e400","1e-400","1.00000000000000000001"]'],
    ['[5e-324,1.7976931348623157e308]', '[5e-324,"1.7976931348623157e308"]'],
    ['"12345678901234567890"', '"12345678901234567890"'],
    [' null ', 'null'],
  ])('%s is %s', (text, canonical) => {
    expect(JSON.stringify(canonicalJson(text))).toBe(canonical);
  });

  it('is the same however keys are ordered, spaces set and numbers that a double holds written', () => {
    const object = fc.dictionary(fc.string(), fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null)));
    fc.assert(
      fc.property(object, (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(JSON.stringify(canonicalJson(JSON.stringify(reversed, null, 2)))).toBe(
          JSON.stringify(canonicalJson(JSON.stringify(value))),
        );
      }),
    );
  });

  it('keeps every safe integer and short decimal a number', () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (n) => canonicalJson(`[${n}]`)?.toString() === String(n)));
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }), (n) => {
        expect(canonicalJson(JSON.stringify([n]))).toEqual([n + 0]);
      }),
    );
  });
});
