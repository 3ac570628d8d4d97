import type { Knex } from 'knex';
import { changesIn, fieldsOf, handle, integer, text } from '../input.ts';
import { type Commands, command, differences, type EventOf, reply } from '../kit/index.ts';
import { forbidden, malformed, notFound, refused, taken } from '../refusals.ts';
import { created, idOf, seconds, writerOf } from '../request.ts';
import { postBody, readingMinutes, slugify, tagList, wordsOf } from './body.ts';
import type { events, Post } from './events.ts';
import { fullPost } from './queries.ts';

type Event = EventOf<typeof events>;

export const commands: Commands<typeof events> = {
  'POST /posts': command({
    async load(request) {
      const author = await writerOf(request);
      const input = fieldsOf(request);
      const title = text(200)(input, 'title');
      const body = postBody(input, 'body');
      const tags = tagList(input, 'tags');
      const slug = input['slug'] === undefined ? slugify(title) : handle(120)(input, 'slug');
      if (slug === '') throw malformed('slug must be given when the title has no Latin letter or digit.');
      const other = await request.db('posts').where({ slug }).first('id');
      return { isTaken: other !== undefined, tags, slug, title, body, authorId: author.id };
    },
    decide({ isTaken, tags, ...given }, { now, newId }) {
      if (isTaken) throw taken('slug');
      const id = newId('posts');
      const post: Post = {
        id,
        ...given,
        publicationId: null,
        readingMinutes: readingMinutes(given.body),
        status: 'draft',
        publishedAt: null,
        createdAt: seconds(now),
        updatedAt: now,
      };
      return {
        events: [{ type: 'PostDrafted', key: id, data: post }, ...retagged(id, [], tags)],
        answer: async (db) => created(`/posts/${id}`, await fullPost(db, id)),
      };
    },
  }),

  /** The reading time stays as it was: the nightly job counts the words of what was edited. */
  'PATCH /posts/:id': command({
    async load(request) {
      const { id: memberId } = await writerOf(request);
      const id = idOf(request);
      const { tags, ...change } = changesIn(fieldsOf(request), { title: text(200), body: postBody, tags: tagList });
      return { memberId, post: await findPost(request.db, id), had: await tagsOf(request.db, id), tags, change };
    },
    decide({ memberId, post, had, tags = had, change }, { now }) {
      const own = ownPost(post, memberId);
      return {
        events: [...edited(own, { ...change, updatedAt: now }), ...retagged(own.id, had, tags)],
        answer: (db) => fullPost(db, own.id),
      };
    },
  }),

  /** Publishing what is published changes nothing. */
  'POST /posts/:id/publish': command({
    async load(request) {
      const { id: memberId } = await writerOf(request);
      return { memberId, post: await findPost(request.db, idOf(request)) };
    },
    decide({ memberId, post }, { now }) {
      const own = ownPost(post, memberId);
      const answer = (db: Knex) => fullPost(db, own.id);
      if (own.status === 'published') return { events: [], answer };
      if (wordsOf(own.body) === 0) throw refused('empty-post', 'A post without words cannot be published.');
      const data: Post = { ...own, status: 'published', publishedAt: seconds(now), updatedAt: now };
      return { events: [{ type: 'PostPublished', key: own.id, data }], answer };
    },
  }),

  /** What an accepted submission leads to; asked for twice, it changes nothing the second time. */
  'PUT /posts/:id/publication': command({
    async load(request) {
      const { username } = await writerOf(request);
      const id = idOf(request);
      const publicationId = integer(fieldsOf(request), 'publicationId', 2 ** 32 - 1);
      if (username !== 'admin') throw forbidden('Only the administrator may do this.');
      const publication = await request.db('publications').where({ id: publicationId }).first('id');
      return { publicationId, isThere: publication !== undefined, post: await findPost(request.db, id) };
    },
    decide({ publicationId, isThere, post }, { now }) {
      if (post?.status !== 'published' || !isThere) throw notFound();
      const answer = (db: Knex) => fullPost(db, post.id);
      if (post.publicationId === publicationId) return { events: [], answer };
      if (post.publicationId !== null) throw refused('in-publication', 'The post already is in a publication.');
      return { events: edited(post, { publicationId, updatedAt: now }), answer };
    },
  }),

  /** Soft: the row, its tags and claps stay. */
  'DELETE /posts/:id': command({
    async load(request) {
      const { id: memberId } = await writerOf(request);
      return { memberId, post: await findPost(request.db, idOf(request)) };
    },
    decide({ memberId, post }, { now }) {
      const own = ownPost(post, memberId);
      const data: Post = { ...own, status: 'deleted', updatedAt: now };
      return { events: [{ type: 'PostDeleted', key: own.id, data }], answer: reply(204) };
    },
  }),
};

async function findPost(db: Knex, id: number): Promise<Post | undefined> {
  const row = await db('posts').where({ id }).first();
  return row && { ...row, body: JSON.parse(row.body) };
}

async function tagsOf(db: Knex, postId: number): Promise<string[]> {
  return db('tags').where({ postId }).orderBy('tag').pluck('tag');
}

/** Another's draft is not even there. */
function ownPost(post: Post | undefined, memberId: number): Post {
  if (!post || post.status === 'deleted') throw notFound();
  if (post.authorId === memberId) return post;
  throw post.status === 'draft' ? notFound() : forbidden('This post is not yours.');
}

function edited(before: Post, change: Partial<Post>): Event[] {
  const post = { ...before, ...change };
  const changed = differences(before, post);
  return changed.length === 0 ? [] : [{ type: 'PostEdited', key: post.id, data: { ...post, changed } }];
}

function retagged(postId: number, had: readonly string[], tags: readonly string[]): Event[] {
  const event = (type: 'PostTagged' | 'PostUntagged') => (tag: string) =>
    ({ type, key: postId, data: { postId, tag } }) as const;
  return [
    ...had.filter((tag) => !tags.includes(tag)).map(event('PostUntagged')),
    ...tags.filter((tag) => !had.includes(tag)).map(event('PostTagged')),
  ];
}
