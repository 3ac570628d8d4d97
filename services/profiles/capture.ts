import { type Captures, changedFields, fields } from '../kit/index.ts';
import type { events, Member } from './events.ts';

export const capture: Captures<typeof events, 'members'> = {
  members(change) {
    const { before, after } = change;
    if (!after) {
      const id = change.key[0] as number;
      return { type: 'MemberErased', key: id, data: { id } };
    }
    const member = fields<Member>(after);
    const { id, status } = member;
    if (before?.['status'] === status) {
      return { type: 'ProfileEdited', key: id, data: { ...member, changed: changedFields(change) } };
    }
    if (status === 'suspended') return { type: 'MemberSuspended', key: id, data: member };
    return { type: before ? 'MemberReinstated' : 'MemberJoined', key: id, data: member };
  },
};
