import { describe, expect, it } from '@jest/globals';
import { PositionLookup } from './position.ts';
import { until } from './test-bed.ts';

/** A `head` whose queries are answered by hand. */
function lookup(timeoutMs = 60_000) {
  const queries: { resolve(position: string): void; reject(error: Error): void }[] = [];
  const missed: string[] = [];
  const positions = new PositionLookup({
    head: () => new Promise((resolve, reject) => queries.push({ resolve, reject })),
    timeoutMs,
    missed: (why) => missed.push(why),
  });
  return { positions, queries, missed };
}

describe('PositionLookup', () => {
  it('asks once for all who come while a query runs, and not before that has ended', async () => {
    const { positions, queries } = lookup();
    const first = positions.newest();
    const later = [positions.newest(), positions.newest(), positions.newest()];
    expect(queries).toHaveLength(1);
    queries[0]?.resolve('p1');
    expect(await first).toBe('p1');
    expect(queries).toHaveLength(2);
    queries[1]?.resolve('p2');
    expect(await Promise.all(later)).toEqual(['p2', 'p2', 'p2']);
    expect(queries).toHaveLength(2);
  });

  it('never gives a caller the position of a query that began before the call', async () => {
    const { positions, queries } = lookup();
    const first = positions.newest();
    const second = positions.newest();
    queries[0]?.resolve('older');
    await first;
    queries[1]?.resolve('newer');
    expect(await second).toBe('newer');
  });

  it('lets nobody wait longer than the limit, and starts anew past a query that hangs', async () => {
    const { positions, queries, missed } = lookup(100);
    expect(await positions.newest()).toBe('monolith');
    const next = positions.newest();
    await until(() => queries.length === 2);
    queries[1]?.resolve('p2');
    expect(await next).toBe('p2');
    expect(missed).toEqual(['timeout']);
  });

  it('does not pile up queries that hang', async () => {
    const { positions, queries } = lookup(1);
    for (let n = 0; n < 10; n++) await positions.newest();
    expect(queries).toHaveLength(4);
    queries[0]?.resolve('p');
    await new Promise(setImmediate);
    void positions.newest();
    expect(queries).toHaveLength(5);
  });

  it.each(['', 'a b', 'a\r\nSet-Cookie: x', 'a;b', 'x'.repeat(101)])('takes %j for no position', async (position) => {
    const { positions, queries, missed } = lookup();
    const newest = positions.newest();
    queries[0]?.resolve(position);
    expect(await newest).toBe('monolith');
    expect(missed).toEqual(['error']);
  });

  it('survives a source that fails', async () => {
    const { positions, queries, missed } = lookup();
    const newest = positions.newest();
    queries[0]?.reject(new Error('gone'));
    expect(await newest).toBe('monolith');
    expect(missed).toEqual(['error']);
  });
});
