import { columns, type Handbacks, type RowChange } from '../kit/index.ts';
import type { events, Post } from './events.ts';

export const handback: Handbacks<typeof events> = {
  PostDrafted: ({ data }) => put(data),
  PostPublished: ({ data }) => put(data),
  PostEdited: ({ data: { changed: _, ...post } }) => put(post),
  PostDeleted: ({ data }) => put(data),
  PostErased: ({ data }) => [{ table: 'posts', delete: columns(data) }],
  PostTagged: ({ data }) => [{ table: 'post_tags', put: columns(data) }],
  PostUntagged: ({ data }) => [{ table: 'post_tags', delete: columns(data) }],
};

const put = (post: Post): RowChange[] => [{ table: 'posts', put: columns(post) }];
