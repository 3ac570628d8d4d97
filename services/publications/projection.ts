import { defineProjection, ignore } from '../kit/index.ts';
import { events as posts } from '../posts/events.ts';
import { events as profiles } from '../profiles/events.ts';
import { events as publications } from './events.ts';

export const projection = defineProjection(
  {
    publications: {
      from: 'publications',
      columns: {
        id: 'integer',
        slug: 'text',
        name: 'text',
        description: 'text?',
        ownerId: 'integer',
        settings: 'json',
      },
      key: ['id'],
      indexes: [['slug']],
    },
    editors: {
      from: 'publications',
      columns: { publicationId: 'integer', memberId: 'integer' },
      key: ['publicationId', 'memberId'],
    },
    submissions: {
      from: 'publications',
      columns: {
        id: 'integer',
        publicationId: 'integer',
        postId: 'integer',
        authorId: 'integer',
        status: 'text',
        submittedAt: 'text',
        decidedAt: 'text?',
      },
      key: ['id'],
      indexes: [['publicationId'], ['postId'], ['authorId', 'status']],
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
      indexes: [['publicationId', 'status', 'publishedAt']],
    },
    members: {
      from: 'profiles',
      columns: { id: 'integer', username: 'text', name: 'text', status: 'text' },
      key: ['id'],
    },
  },
  (on) => [
    on(publications, {
      PublicationFounded: ({ data }, db) => db.publications.put(data),
      PublicationEdited: ({ data }, db) => db.publications.put(data),
      PublicationErased: ({ data }, db) => db.publications.delete(data.id),
      EditorAdded: ({ data }, db) => db.editors.put(data),
      EditorRemoved: ({ data }, db) => db.editors.delete(data.publicationId, data.memberId),
      SubmissionReceived: ({ data }, db) => db.submissions.put(data),
      SubmissionAccepted: ({ data }, db) => db.submissions.put(data),
      SubmissionRefused: ({ data }, db) => db.submissions.put(data),
      SubmissionErased: ({ data }, db) => db.submissions.delete(data.id),
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
