import { expect, it } from '@jest/globals';
import { confluent } from '../kit/index.ts';
import { random, randomEvents } from '../kit/test-support.ts';
import { projection } from './projection.ts';

it('gives one store, however the topics interleave', async () => {
  const hashes = await confluent(projection, randomEvents(projection, 2000, random(1)), random(2));
  expect(hashes.size).toBe(1);
});
