import { describe, expect, it } from '@jest/globals';
import { decide, type RequestFacts } from './decide.ts';
import type { DomainState } from './routing-state.ts';

const read = { domain: 'orders', kind: 'read', method: 'GET', path: '/orders' } as const;
const write = { domain: 'orders', kind: 'write', method: 'POST', path: '/orders' } as const;

function verdictOn(facts: RequestFacts, reads: Partial<DomainState> = {}, admits = true): string {
  const state = { version: 1, domains: { orders: { percent: 50, serveable: true, ...reads } } };
  const { to, reason } = decide(facts, state, () => admits);
  return `${to}: ${reason}`;
}

describe('decide', () => {
  it.each<[string, RequestFacts, Partial<DomainState>, string]>([
    ['a path that is not canonical', { notCanonical: 'empty-segment', route: read }, {}, 'monolith: not-canonical'],
    ['a path that is not listed', {}, {}, 'monolith: unlisted'],
    ['a write', { route: write, bucket: 0, prefer: 'service' }, { percent: 100 }, 'monolith: write'],
    ['a write of a domain that is held', { route: write }, { writes: 'held' }, 'hold: held'],
    ['a write that its service takes', { route: write }, { writes: 'service', percent: 0 }, 'service: write'],
    [
      'a write that may be another one',
      { route: write, doubt: 'method-override' },
      { writes: 'held' },
      'monolith: write',
    ],
    ['a read of a domain that is held', { route: read, bucket: 0 }, { writes: 'held' }, 'service: ramp'],
    ['a read with a body', { route: read, doubt: 'body' }, { percent: 100 }, 'monolith: body'],
    ['a session below the share', { route: read, bucket: 49.9 }, {}, 'service: ramp'],
    ['a session at the share', { route: read, bucket: 50 }, {}, 'monolith: ramp'],
    ['any session at 0 %', { route: read, bucket: 0 }, { percent: 0 }, 'monolith: ramp'],
    ['any session at 100 %', { route: read, bucket: 99.99 }, { percent: 100 }, 'service: ramp'],
    [
      'a read of a service that must not serve',
      { route: read, bucket: 0 },
      { serveable: false },
      'monolith: not-serveable',
    ],
    ['a session whose position is unknown', { route: read, positionUnknown: true }, {}, 'monolith: position-unknown'],
    ['a tester who wants the service', { route: read, bucket: 99, prefer: 'service' }, {}, 'service: tester'],
    ['a tester who wants the monolith', { route: read, bucket: 0, prefer: 'monolith' }, {}, 'monolith: tester'],
    [
      'a tester who wants a service that must not serve',
      { route: read, prefer: 'service' },
      { serveable: false },
      'monolith: not-serveable',
    ],
  ])('answers for %s', (_, facts, reads, verdict) => {
    expect(verdictOn(facts, reads)).toBe(verdict);
  });

  it('asks the breaker last', () => {
    expect(verdictOn({ route: read, bucket: 0 }, {}, false)).toBe('monolith: breaker-open');
  });

  it('leaves a domain without state to the monolith', () => {
    expect(decide({ route: read, bucket: 0 }, { version: 0, domains: {} }, () => true).to).toBe('monolith');
  });
});
