import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bucketOf } from './session.ts';

/** The sample's share below `percent` may stray from it by six standard deviations: once in a billion runs. */
function expectShare(buckets: number[], percent: number): void {
  const share = buckets.filter((bucket) => bucket < percent).length / buckets.length;
  const deviation = Math.sqrt(((percent / 100) * (1 - percent / 100)) / buckets.length);
  expect(Math.abs(share - percent / 100)).toBeLessThan(6 * deviation);
}

describe('bucketOf', () => {
  it('gives a session of a domain one place from 0 up to and without 100', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (domain, session) => {
        const bucket = bucketOf(domain, session);
        expect(bucket).toBeGreaterThanOrEqual(0);
        expect(bucket).toBeLessThan(100);
        expect(bucketOf(domain, session)).toBe(bucket);
      }),
    );
  });

  it('takes the declared share of sessions, however alike their names are', () => {
    const names = fc.constantFrom<(n: number) => string>(
      String,
      (n) => `s${n}`,
      (n) => `${n}-user`,
      (n) => 'a'.repeat(n % 500) + n,
    );
    fc.assert(
      fc.property(fc.string(), names, fc.integer({ min: 1, max: 99 }), fc.nat(), (domain, name, percent, from) => {
        expectShare(
          Array.from({ length: 5_000 }, (_, n) => bucketOf(domain, name(from + n))),
          percent,
        );
      }),
      { numRuns: 20 },
    );
  });

  it('draws anew for each domain', () => {
    const sessions = Array.from({ length: 100_000 }, (_, n) => `s${n}`);
    const inBoth = sessions.filter((session) => bucketOf('orders', session) < 30);
    expectShare(
      inBoth.map((session) => bucketOf('shops', session)),
      30,
    );
  });
});
