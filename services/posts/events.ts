import { z } from 'zod';
import { defineEvents } from '../kit/index.ts';

const post = z.object({
  id: z.int(),
  authorId: z.int(),
  publicationId: z.int().nullable(),
  slug: z.string(),
  title: z.string(),
  body: z.unknown(),
  readingMinutes: z.string(),
  status: z.enum(['draft', 'published', 'deleted']),
  publishedAt: z.string().nullable(),
  createdAt: z.string(),
  updatedAt: z.string(),
});

const tag = z.object({ postId: z.int(), tag: z.string() });

export type Post = z.infer<typeof post>;

export const events = defineEvents('posts', {
  PostDrafted: post,
  PostPublished: post,
  /** Also by the nightly count of words, and by a publication that accepts the post. */
  PostEdited: post.extend({ changed: z.array(z.string()) }),
  /** The row stays. */
  PostDeleted: post,
  /** The row is gone. */
  PostErased: z.object({ id: z.int() }),
  PostTagged: tag,
  PostUntagged: tag,
});
