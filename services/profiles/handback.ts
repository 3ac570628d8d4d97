import { columns, type Handbacks, type RowChange } from '../kit/index.ts';
import type { events, Member } from './events.ts';

export const handback: Handbacks<typeof events> = {
  MemberJoined: ({ data }) => put(data),
  ProfileEdited: ({ data: { changed: _, ...member } }) => put(member),
  MemberSuspended: ({ data }) => put(data),
  MemberReinstated: ({ data }) => put(data),
  MemberErased: ({ data }) => [{ table: 'members', delete: columns(data) }],
  CredentialsSet: ({ data: { id, ...credentials } }) => [
    { table: 'members', derive: { set: columns(credentials), where: { id } } },
  ],
};

const put = (member: Member): RowChange[] => [{ table: 'members', put: columns(member) }];
