import { events as claps } from '../claps/events.ts';
import { defineProjection, ignore } from '../kit/index.ts';
import { events as posts } from '../posts/events.ts';
import { events as publications } from '../publications/events.ts';
import { events as profiles } from './events.ts';

export const projection = defineProjection(
  {
    members: {
      from: 'profiles',
      columns: { id: 'integer', username: 'text', name: 'text', bio: 'text?', status: 'text', joinedAt: 'text' },
      key: ['id'],
      indexes: [['username']],
    },
    posts: {
      from: 'posts',
      columns: {
        id: 'integer',
        authorId: 'integer',
        publicationId: 'integer?',
        slug: 'text',
        title: 'text',
        status: 'text',
        publishedAt: 'text?',
      },
      key: ['id'],
      indexes: [['authorId', 'status', 'publishedAt']],
    },
    claps: {
      from: 'claps',
      columns: { postId: 'integer', memberId: 'integer', count: 'integer' },
      key: ['postId', 'memberId'],
    },
    publications: { from: 'publications', columns: { id: 'integer', slug: 'text', name: 'text' }, key: ['id'] },
  },
  (on) => [
    on(profiles, {
      MemberJoined: ({ data }, db) => db.members.put(data),
      ProfileEdited: ({ data }, db) => db.members.put(data),
      MemberSuspended: ({ data }, db) => db.members.put(data),
      MemberReinstated: ({ data }, db) => db.members.put(data),
      MemberErased: ({ data }, db) => db.members.delete(data.id),
      CredentialsSet: ignore,
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
    on(claps, {
      PostClapped: ({ data }, db) => db.claps.put(data),
      ClapsTakenBack: ({ data }, db) => db.claps.delete(data.postId, data.memberId),
    }),
    on(publications, {
      PublicationFounded: ({ data }, db) => db.publications.put(data),
      PublicationEdited: ({ data }, db) => db.publications.put(data),
      PublicationErased: ({ data }, db) => db.publications.delete(data.id),
      EditorAdded: ignore,
      EditorRemoved: ignore,
      SubmissionReceived: ignore,
      SubmissionAccepted: ignore,
      SubmissionRefused: ignore,
      SubmissionErased: ignore,
    }),
  ],
);
