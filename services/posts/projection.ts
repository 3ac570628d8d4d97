import { events as claps } from '../claps/events.ts';
import { defineProjection, ignore } from '../kit/index.ts';
import { events as profiles } from '../profiles/events.ts';
import { events as publications } from '../publications/events.ts';
import { events as posts } from './events.ts';

export const projection = defineProjection(
  {
    posts: {
      from: 'posts',
      columns: {
        id: 'integer',
        authorId: 'integer',
        publicationId: 'integer?',
        slug: 'text',
        title: 'text',
        body: 'json',
        readingMinutes: 'text',
        status: 'text',
        publishedAt: 'text?',
        createdAt: 'text',
        updatedAt: 'text',
      },
      key: ['id'],
      indexes: [['slug'], ['status', 'publishedAt'], ['authorId', 'status']],
    },
    tags: { from: 'posts', columns: { postId: 'integer', tag: 'text' }, key: ['postId', 'tag'], indexes: [['tag']] },
    claps: {
      from: 'claps',
      columns: { postId: 'integer', memberId: 'integer', count: 'integer' },
      key: ['postId', 'memberId'],
    },
    members: {
      from: 'profiles',
      columns: { id: 'integer', username: 'text', name: 'text', status: 'text' },
      key: ['id'],
    },
    publications: { from: 'publications', columns: { id: 'integer', slug: 'text', name: 'text' }, key: ['id'] },
  },
  (on) => [
    on(posts, {
      PostDrafted: ({ data }, db) => db.posts.put(data),
      PostPublished: ({ data }, db) => db.posts.put(data),
      PostEdited: ({ data }, db) => db.posts.put(data),
      PostDeleted: ({ data }, db) => db.posts.put(data),
      PostErased: ({ data }, db) => db.posts.delete(data.id),
      PostTagged: ({ data }, db) => db.tags.put(data),
      PostUntagged: ({ data }, db) => db.tags.delete(data.postId, data.tag),
    }),
    on(claps, {
      PostClapped: ({ data }, db) => db.claps.put(data),
      ClapsTakenBack: ({ data }, db) => db.claps.delete(data.postId, data.memberId),
    }),
    on(profiles, {
      MemberJoined: ({ data }, db) => db.members.put(data),
      ProfileEdited: ({ data }, db) => db.members.put(data),
      MemberSuspended: ({ data }, db) => db.members.put(data),
      MemberReinstated: ({ data }, db) => db.members.put(data),
      MemberErased: ({ data }, db) => db.members.delete(data.id),
      CredentialsSet: ignore,
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
