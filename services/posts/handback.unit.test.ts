import { expect, it } from '@jest/globals';
import { handedBack, random } from '../kit/test-support.ts';
import { posts } from './domain.ts';

it('gives every change back as it was captured', () => {
  expect(handedBack(posts, random(1))).toEqual({ lost: [], types: posts.events.types });
});
