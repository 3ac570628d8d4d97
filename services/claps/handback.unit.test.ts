import { expect, it } from '@jest/globals';
import { handedBack, random } from '../kit/test-support.ts';
import { claps } from './domain.ts';

it('gives every change back as it was captured', () => {
  expect(handedBack(claps, random(1))).toEqual({ lost: [], types: claps.events.types });
});
