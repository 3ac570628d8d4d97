import { describe, expect, it } from '@jest/globals';
import { Breaker } from './breaker.ts';

function opened() {
  const states: string[] = [];
  const breaker = new Breaker({ failures: 3, delayMs: 100 }, (state) => states.push(state));
  for (let n = 0; n < 3; n++) breaker.failed(0);
  return { breaker, states };
}

describe('Breaker', () => {
  it('opens after failures in a row, and a success between them starts the row anew', () => {
    const breaker = new Breaker({ failures: 3, delayMs: 100 });
    breaker.failed(0);
    breaker.failed(0);
    breaker.succeeded();
    breaker.failed(0);
    breaker.failed(0);
    expect(breaker.admits(0)).toBe(true);
    breaker.failed(0);
    expect(breaker.admits(0)).toBe(false);
  });

  it('lets one probe through after the delay, and closes on its success', () => {
    const { breaker, states } = opened();
    expect(breaker.admits(99)).toBe(false);
    expect(breaker.admits(100)).toBe(true);
    breaker.sent();
    expect(breaker.admits(1_000)).toBe(false);
    breaker.succeeded();
    expect(breaker.admits(1_000)).toBe(true);
    expect(states).toEqual(['open', 'probing', 'closed']);
  });

  it('stays open for another delay when the probe fails', () => {
    const { breaker, states } = opened();
    breaker.sent();
    breaker.failed(150);
    expect(breaker.admits(249)).toBe(false);
    expect(breaker.admits(250)).toBe(true);
    expect(states).toEqual(['open', 'probing', 'open']);
  });

  it('is not kept open by failures of requests that were sent before it opened', () => {
    const { breaker } = opened();
    breaker.failed(99);
    expect(breaker.admits(100)).toBe(true);
  });

  it('lets another probe through when the client of the first one left', () => {
    const { breaker } = opened();
    breaker.sent();
    breaker.abandoned();
    expect(breaker.admits(100)).toBe(true);
  });
});
