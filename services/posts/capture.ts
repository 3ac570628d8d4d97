import { type Captures, changedFields, fields } from '../kit/index.ts';
import type { events, Post } from './events.ts';

/** The event by which a post gets into a status. */
const ENTERED = { draft: 'PostDrafted', published: 'PostPublished', deleted: 'PostDeleted' } as const;

export const capture: Captures<typeof events, 'posts' | 'post_tags'> = {
  posts(change) {
    const { before, after } = change;
    if (!after) {
      const id = change.key[0] as number;
      return { type: 'PostErased', key: id, data: { id } };
    }
    const post = fields<Post>(after);
    if (before?.['status'] === post.status) {
      return { type: 'PostEdited', key: post.id, data: { ...post, changed: changedFields(change) } };
    }
    return { type: ENTERED[post.status], key: post.id, data: post };
  },

  post_tags({ after, key }) {
    const [postId, tag] = key as [number, string];
    return { type: after ? 'PostTagged' : 'PostUntagged', key: postId, data: { postId, tag } };
  },
};
