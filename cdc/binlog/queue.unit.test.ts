import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Transaction } from '../types.ts';
import { TransactionQueue } from './queue.ts';

const signal = new AbortController().signal;
let flow: string[];
let queue: TransactionQueue;

beforeEach(() => {
  flow = [];
  queue = new TransactionQueue({ pause: () => flow.push('pause'), resume: () => flow.push('resume') });
});

function push(position: number, changes = 1, bytes = 100): void {
  const change = { table: 't', kind: 'insert' as const, key: [1], after: { id: 1 } };
  const transaction: Transaction = {
    position: String(position),
    gtid: `0-1-${position}`,
    committedAt: '2026-01-01T00:00:00.000Z',
    changes: Array.from({ length: changes }, () => change),
    disturbances: [],
    part: 0,
    last: true,
    resume: {},
  };
  queue.push(transaction, bytes);
}

async function positions(): Promise<number[] | undefined> {
  return (await queue.take(signal))?.map(({ position }) => Number(position));
}

describe('the queue between stream and reader', () => {
  it('gives what has arrived in one batch, and waits only for the first', async () => {
    const waiting = positions();
    push(1);
    expect(await waiting).toEqual([1]);
    push(2);
    push(3);
    expect(await positions()).toEqual([2, 3]);
  });

  it('keeps of empty transactions the newest, and none before others', async () => {
    for (const position of [1, 2, 3]) push(position, 0);
    expect(await positions()).toEqual([3]);
    push(4, 0);
    push(5);
    push(6, 0);
    push(7, 0);
    expect(await positions()).toEqual([5, 7]);
  });

  it.each([
    ['transactions', 1200, 1, 100],
    ['changes', 20, 1000, 100],
    ['bytes', 50, 1, 2 ** 20],
  ])(
    'pauses the stream with too many %s, goes on when few are left, and loses none',
    async (_, count, changes, bytes) => {
      let pushed = 0;
      while (!flow.includes('pause') && pushed < count) push(++pushed, changes, bytes);
      expect(pushed).toBeLessThan(count);
      expect(flow).toEqual(['pause']);
      const read: number[] = [];
      while (read.length < pushed) {
        const batch = (await positions()) ?? [];
        expect(batch.length).toBeLessThanOrEqual(500);
        expect(batch.length * changes).toBeLessThanOrEqual(5000);
        expect(batch.length * bytes).toBeLessThanOrEqual(2 ** 24);
        read.push(...batch);
      }
      expect(flow.at(-1)).toBe('resume');
      expect(read).toEqual(Array.from({ length: pushed }, (__, i) => i + 1));
    },
  );

  it('gives a transaction larger than a batch alone', async () => {
    push(1, 9000);
    push(2);
    expect(await positions()).toEqual([1]);
    expect(await positions()).toEqual([2]);
  });

  it('gives what came before a failure, then the failure', async () => {
    push(1);
    queue.fail(new Error('first'));
    queue.fail(new Error('second'));
    expect(await positions()).toEqual([1]);
    await expect(positions()).rejects.toThrow('first');
  });

  it('ends a wait when it is woken after an abort', async () => {
    const stop = new AbortController();
    const waiting = queue.take(stop.signal);
    stop.abort();
    queue.wake();
    expect(await waiting).toBeUndefined();
  });
});
