import { describe, expect, it } from '@jest/globals';
import { type Parts, partOf, planOf } from './plan.ts';

const PARTS: Parts = { domains: ['a', 'b'], doubled: 'b', processors: ['p'], servers: ['kafka', 'connect'] };

describe('the plan of the faults', () => {
  it.each([1, 2, 3, 4, 5])('kills each kind of part in its first ten rounds, with seed %d', (seed) => {
    const killed = planOf(seed, 10, PARTS).map(({ target }) => target);
    for (const kind of ['emit', 'mariadb', 'router', 'up', 'kafka', 'connect', 'process p'])
      expect(killed).toContain(kind);
    expect(killed.filter((target) => /^(serve|second) /.test(target))).toHaveLength(2);
    expect(killed.filter((target) => target.startsWith('replay '))).toHaveLength(1);
  });

  it('is the same for the same seed, and another for another', () => {
    expect(planOf(7, 30, PARTS)).toEqual(planOf(7, 30, PARTS));
    expect(planOf(7, 30, PARTS)).not.toEqual(planOf(8, 30, PARTS));
  });

  it('says what is killed', () => {
    const targets = ['emit', 'serve a', 'second b', 'replay a', 'process p'] as const;
    const parts = ['emit', 'serve a', 'second serve b', 'serve a in a replay', 'process p'];
    expect(targets.map(partOf)).toEqual(parts);
  });
});
