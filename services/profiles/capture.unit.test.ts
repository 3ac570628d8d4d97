import { describe, expect, it } from '@jest/globals';
import { captured } from '../kit/test-support.ts';
import { profiles } from './domain.ts';

const active = {
  id: 2,
  username: 'ada',
  name: 'Ada',
  bio: null,
  status: 'active',
  joined_at: '2026-01-01T08:00:00',
};
const suspended = { ...active, status: 'suspended' };
const data = { id: 2, username: 'ada', name: 'Ada', bio: null, status: 'active', joinedAt: '2026-01-01T08:00:00' };

describe('a change of members', () => {
  it.each([
    ['joining', { after: active }, 'MemberJoined', data],
    [
      'a member who was suspended before the seed',
      { after: suspended },
      'MemberSuspended',
      { ...data, status: 'suspended' },
    ],
    ['suspending', { before: active, after: suspended }, 'MemberSuspended', { ...data, status: 'suspended' }],
    ['reinstating', { before: suspended, after: active }, 'MemberReinstated', data],
    [
      'editing',
      { before: active, after: { ...active, name: 'Ada L.', bio: '☕️' } },
      'ProfileEdited',
      { ...data, name: 'Ada L.', bio: '☕️', changed: ['name', 'bio'] },
    ],
    ['erasing', { before: active }, 'MemberErased', { id: 2 }],
  ])('%s', (_, change, type, expected) => {
    expect(captured(profiles, 'members', change)).toEqual([[type, 2, expected]]);
  });

  it('is refused with what must not leave the monolith, without showing it', () => {
    const secrets = { password_hash: 'scrypt$', email: 'ada@mail.example' };
    const leaking = () => captured(profiles, 'members', { after: { ...active, ...secrets } });
    expect(leaking).toThrow(/passwordHash/);
    expect(leaking).not.toThrow(/scrypt|@mail/);
  });
});
