import { type Captures, changedFields, fields } from '../kit/index.ts';
import type { events, Member } from './events.ts';

export const capture: Captures<typeof events, 'members'> = {
  members(change) {
    const id = change.key[0] as number;
    if (!change.after) return { type: 'MemberErased', key: id, data: { id } };
    const member = fields<Member>(change.after);
    if (change.before?.['status'] === member.status) {
      return { type: 'ProfileEdited', key: id, data: { ...member, changed: changedFields(change) } };
    }
    if (member.status === 'suspended') return { type: 'MemberSuspended', key: id, data: member };
    return { type: change.before ? 'MemberReinstated' : 'MemberJoined', key: id, data: member };
  },
};
