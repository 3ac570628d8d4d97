import { describe, expect, it } from '@jest/globals';
import { type NewEvent, parkingTopic, START } from '../../log/index.ts';
import { drain } from './parking.ts';
import { initialState } from './state.ts';
import { memoryLog } from './test-support.ts';
import type { Translator } from './translate.ts';

const topic = parkingTopic('orders');
const blind = { parkedChange: () => [] } as unknown as Translator;

/** Steps of each go until a lot of `count` changes is empty. */
async function goes(count: number, text = ''): Promise<number[]> {
  const log = memoryLog();
  for (let i = 0; i < count; i++) await log.post([change(i, text)]);
  let state = initialState(['orders']);
  const parked = { from: START, drained: START, changes: 0, reseed: false };
  state = { ...state, parked: { orders: parked } };
  const steps: number[] = [];
  while (state.parked['orders']) {
    steps.push(0);
    for await (const step of drain(log, blind, state, 'orders')) {
      state = step.state;
      steps.push((steps.pop() ?? 0) + 1);
    }
  }
  return steps;
}

function change(n: number, text: string): NewEvent {
  const fixed = { version: 1, time: '2026-01-01T00:00:00.000Z', origin: 'monolith', epoch: 0 };
  return { topic, key: `${n}`, id: `c${n}`, type: 'Change', data: JSON.stringify({ text }), ...fixed };
}

describe('the emptying of a parking lot', () => {
  it.each([
    ['in one go when it is small', 3, '', [4]],
    ['a part at a time when it holds many changes', 4500, '', [2000, 2000, 501]],
    ['a part at a time when it holds large ones', 11, 'x'.repeat(900_000), [9, 3]],
    ['with the last change, not a go later', 2000, '', [2001]],
  ])('ends %s', async (_, count, text, steps) => {
    expect(await goes(count, text)).toEqual(steps);
  });
});
