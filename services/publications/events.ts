import { z } from 'zod';
import { defineEvents } from '../kit/index.ts';

const publication = z.object({
  id: z.int(),
  slug: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  ownerId: z.int(),
  settings: z.unknown(),
});

const editor = z.object({ publicationId: z.int(), memberId: z.int() });

const submission = z.object({
  id: z.int(),
  publicationId: z.int(),
  postId: z.int(),
  authorId: z.int(),
  status: z.enum(['pending', 'accepted', 'refused']),
  submittedAt: z.string(),
  decidedAt: z.string().nullable(),
});

export type Publication = z.infer<typeof publication>;
export type Submission = z.infer<typeof submission>;

export const events = defineEvents('publications', {
  PublicationFounded: publication,
  PublicationEdited: publication.extend({ changed: z.array(z.string()) }),
  /** The row is gone. */
  PublicationErased: z.object({ id: z.int() }),
  EditorAdded: editor,
  EditorRemoved: editor,
  SubmissionReceived: submission,
  SubmissionAccepted: submission,
  SubmissionRefused: submission,
  /** The row is gone. */
  SubmissionErased: z.object({ id: z.int() }),
});
