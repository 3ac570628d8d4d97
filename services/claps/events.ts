import { z } from 'zod';
import { defineEvents } from '../kit/index.ts';

/** All claps of one member for one post. */
const claps = z.object({ memberId: z.int(), postId: z.int(), count: z.int(), updatedAt: z.string() });

export type Claps = z.infer<typeof claps>;

export const events = defineEvents('claps', {
  PostClapped: claps,
  ClapsTakenBack: claps.pick({ memberId: true, postId: true }),
});
