import { expect, it } from '@jest/globals';
import { handedBack, random } from '../kit/test-support.ts';
import { publications } from './domain.ts';

it('gives every change back as it was captured', () => {
  expect(handedBack(publications, random(1))).toEqual({ lost: [], types: publications.events.types });
});
