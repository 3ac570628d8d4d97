import { z } from 'zod';
import { defineEvents } from '../kit/index.ts';

const member = z.object({
  id: z.int(),
  username: z.string(),
  name: z.string(),
  bio: z.string().nullable(),
  status: z.enum(['active', 'suspended']),
  joinedAt: z.string(),
});

export type Member = z.infer<typeof member>;

export const events = defineEvents('profiles', {
  MemberJoined: member,
  ProfileEdited: member.extend({ changed: z.array(z.string()) }),
  MemberSuspended: member,
  MemberReinstated: member,
  /** The row is gone. */
  MemberErased: z.object({ id: z.int() }),
  /** What only the monolith's sign-in reads; it never comes from a capture. */
  CredentialsSet: z.object({ id: z.int(), passwordHash: z.string().optional(), email: z.string().optional() }),
});
