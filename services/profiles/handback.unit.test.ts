import { expect, it } from '@jest/globals';
import { handedBack, random } from '../kit/test-support.ts';
import { profiles } from './domain.ts';

it('gives every change back as it was captured', () => {
  // Its columns are excluded: no capture sees them.
  expect(handedBack(profiles, random(1))).toEqual({
    lost: [],
    types: profiles.events.types.filter((type) => type !== 'CredentialsSet'),
  });
});
