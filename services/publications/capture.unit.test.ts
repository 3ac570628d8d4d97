import { describe, expect, it } from '@jest/globals';
import { captured } from '../kit/test-support.ts';
import { publications } from './domain.ts';

describe('a change of publications', () => {
  const row = { id: 3, slug: 'trees', name: 'Trees', description: null, owner_id: 2, settings: { theme: 'dark' } };
  const data = { id: 3, slug: 'trees', name: 'Trees', description: null, ownerId: 2, settings: { theme: 'dark' } };

  it.each([
    ['founding', { after: row }, 'PublicationFounded', data],
    [
      'editing',
      { before: row, after: { ...row, settings: { theme: 'light' } } },
      'PublicationEdited',
      { ...data, settings: { theme: 'light' }, changed: ['settings'] },
    ],
    ['erasing', { before: row }, 'PublicationErased', { id: 3 }],
  ])('%s', (_, change, type, expected) => {
    expect(captured(publications, 'publications', change)).toEqual([[type, 3, expected]]);
  });
});

describe('a change of publication_editors', () => {
  const row = { publication_id: 3, member_id: 2 };

  it.each([
    ['adding', { after: row }, 'EditorAdded'],
    ['removing', { before: row }, 'EditorRemoved'],
  ])('%s', (_, change, type) => {
    const expected = [[type, 3, { publicationId: 3, memberId: 2 }]];
    expect(captured(publications, 'publication_editors', change)).toEqual(expected);
  });
});

describe('a change of submissions', () => {
  const at = '2026-01-01T08:00:00';
  const row = {
    id: 9,
    publication_id: 3,
    post_id: 7,
    author_id: 2,
    status: 'pending',
    submitted_at: at,
    decided_at: null,
  };
  const data = { id: 9, publicationId: 3, postId: 7, authorId: 2, status: 'pending', submittedAt: at, decidedAt: null };
  const decided = (status: string) => ({ ...row, status, decided_at: at });
  const decidedData = (status: string) => ({ ...data, status, decidedAt: at });

  it.each([
    ['submitting', { after: row }, 'SubmissionReceived', data],
    ['accepting', { before: row, after: decided('accepted') }, 'SubmissionAccepted', decidedData('accepted')],
    ['refusing', { before: row, after: decided('refused') }, 'SubmissionRefused', decidedData('refused')],
    [
      'one that was accepted before the seed',
      { after: decided('accepted') },
      'SubmissionAccepted',
      decidedData('accepted'),
    ],
    ['erasing', { before: row }, 'SubmissionErased', { id: 9 }],
  ])('%s', (_, change, type, expected) => {
    expect(captured(publications, 'submissions', change)).toEqual([[type, 9, expected]]);
  });
});
