import { describe, expect, it } from '@jest/globals';
import { captured } from '../kit/test-support.ts';
import { claps } from './domain.ts';

const row = { member_id: 2, post_id: 7, count: 5, updated_at: '2026-01-01T08:00:00.120' };
const data = { memberId: 2, postId: 7, count: 5, updatedAt: '2026-01-01T08:00:00.120' };

describe('a change of claps', () => {
  it.each([
    ['a first clap', { after: row }, 'PostClapped', data],
    ['more claps', { before: row, after: { ...row, count: 50 } }, 'PostClapped', { ...data, count: 50 }],
    ['taking them back', { before: row }, 'ClapsTakenBack', { memberId: 2, postId: 7 }],
  ])('%s', (_, change, type, expected) => {
    expect(captured(claps, 'claps', change)).toEqual([[type, 7, expected]]);
  });
});
