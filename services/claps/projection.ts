import { defineProjection, ignore } from '../kit/index.ts';
import { events as posts } from '../posts/events.ts';
import { events as profiles } from '../profiles/events.ts';
import { events as claps } from './events.ts';

export const projection = defineProjection(
  {
    claps: {
      from: 'claps',
      columns: { postId: 'integer', memberId: 'integer', count: 'integer', updatedAt: 'text' },
      key: ['postId', 'memberId'],
      indexes: [['memberId', 'updatedAt']],
    },
    posts: { from: 'posts', columns: { id: 'integer', slug: 'text', title: 'text', status: 'text' }, key: ['id'] },
    members: { from: 'profiles', columns: { id: 'integer', username: 'text', status: 'text' }, key: ['id'] },
  },
  (on) => [
    on(claps, {
      PostClapped: ({ data }, db) => db.claps.put(data),
      ClapsTakenBack: ({ data }, db) => db.claps.delete(data.postId, data.memberId),
    }),
    on(posts, {
      PostDrafted: ({ data }, db) => db.posts.put(data),
      PostPublished: ({ data }, db) => db.posts.put(data),
      PostEdited: ({ data }, db) => db.posts.put(data),
      PostDeleted: ({ data }, db) => db.posts.put(data),
      PostErased: ({ data }, db) => db.posts.delete(data.id),
      PostTagged: ignore,
      PostUntagged: ignore,
    }),
    on(profiles, {
      MemberJoined: ({ data }, db) => db.members.put(data),
      ProfileEdited: ({ data }, db) => db.members.put(data),
      MemberSuspended: ({ data }, db) => db.members.put(data),
      MemberReinstated: ({ data }, db) => db.members.put(data),
      MemberErased: ({ data }, db) => db.members.delete(data.id),
      CredentialsSet: ignore,
    }),
  ],
);
