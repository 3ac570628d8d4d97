import { describe, expect, it } from '@jest/globals';
import type { Row } from '../kit/index.ts';
import { captured } from '../kit/test-support.ts';
import { posts } from './domain.ts';

const draft: Row = {
  id: 7,
  author_id: 2,
  publication_id: null,
  slug: 'on-trees',
  title: 'On trees 🌳',
  body: { blocks: [], version: 2 },
  reading_minutes: '4.50',
  status: 'draft',
  published_at: null,
  created_at: '2026-01-01T08:00:00',
  updated_at: '2026-01-01T08:00:00.120Z',
};
const published: Row = { ...draft, status: 'published', published_at: '2026-01-02T08:00:00' };
const deleted: Row = { ...published, status: 'deleted' };
const accepted: Row = { ...published, publication_id: 3, updated_at: '2026-01-03T08:00:00.000Z' };

const data = {
  id: 7,
  authorId: 2,
  publicationId: null,
  slug: 'on-trees',
  title: 'On trees 🌳',
  body: { blocks: [], version: 2 },
  readingMinutes: '4.50',
  status: 'draft',
  publishedAt: null,
  createdAt: '2026-01-01T08:00:00',
  updatedAt: '2026-01-01T08:00:00.120Z',
};
const publishedData = { ...data, status: 'published', publishedAt: '2026-01-02T08:00:00' };
const acceptedData = { ...publishedData, publicationId: 3, updatedAt: '2026-01-03T08:00:00.000Z' };

describe('a change of posts', () => {
  it.each([
    ['a new draft', { after: draft }, 'PostDrafted', data],
    ['a post that was published before the seed', { after: published }, 'PostPublished', publishedData],
    [
      'a post that was deleted before the seed',
      { after: deleted },
      'PostDeleted',
      { ...publishedData, status: 'deleted' },
    ],
    ['publishing', { before: draft, after: published }, 'PostPublished', publishedData],
    ['going back to a draft', { before: published, after: draft }, 'PostDrafted', data],
    ['a soft delete', { before: published, after: deleted }, 'PostDeleted', { ...publishedData, status: 'deleted' }],
    ['bringing back', { before: deleted, after: published }, 'PostPublished', publishedData],
    ['erasing', { before: deleted }, 'PostErased', { id: 7 }],
    [
      'moving into a publication',
      { before: published, after: accepted },
      'PostEdited',
      { ...acceptedData, changed: ['publicationId', 'updatedAt'] },
    ],
    [
      'counting words',
      { before: draft, after: { ...draft, reading_minutes: '5.00' } },
      'PostEdited',
      { ...data, readingMinutes: '5.00', changed: ['readingMinutes'] },
    ],
  ])('%s', (_, change, type, expected) => {
    expect(captured(posts, 'posts', change)).toEqual([[type, 7, expected]]);
  });
});

describe('a change of post_tags', () => {
  const row = { post_id: 7, tag: 'trees' };

  it.each([
    ['tagging', { after: row }, 'PostTagged'],
    ['untagging', { before: row }, 'PostUntagged'],
  ])('%s', (_, change, type) => {
    expect(captured(posts, 'post_tags', change)).toEqual([[type, 7, { postId: 7, tag: 'trees' }]]);
  });
});
