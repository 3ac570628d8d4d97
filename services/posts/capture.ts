import { type Captures, changedFields, fields } from '../kit/index.ts';
import type { events, Post } from './events.ts';

/** The event by which a post gets into a status. */
const ENTERED = { draft: 'PostDrafted', published: 'PostPublished', deleted: 'PostDeleted' } as const;

export const capture: Captures<typeof events, 'posts' | 'post_tags'> = {
  posts(change) {
    const id = change.key[0] as number;
    if (!change.after) return { type: 'PostErased', key: id, data: { id } };
    const post = fields<Post>(change.after);
    if (change.before?.['status'] !== post.status) return { type: ENTERED[post.status], key: id, data: post };
    return { type: 'PostEdited', key: id, data: { ...post, changed: changedFields(change) } };
  },

  post_tags({ after, key }) {
    const [postId, tag] = key as [number, string];
    return { type: after ? 'PostTagged' : 'PostUntagged', key: postId, data: { postId, tag } };
  },
};
