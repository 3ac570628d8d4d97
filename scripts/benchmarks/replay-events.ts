import type { NewEvent } from '../../log/index.ts';
import { body, random, sentence } from '../../monolith/fill-text.ts';
import type { Claps } from '../../services/claps/events.ts';
import type { Post } from '../../services/posts/events.ts';

/** What the example's services read most: one post to nine claps, each row once, as after a seed. */
export interface ReplayEvent {
  topic: 'posts' | 'claps';
  type: 'PostPublished' | 'PostClapped';
  key: number;
  data: Post | Claps;
}

const CLAPS_A_POST = 9;

/** The same events for the same count, in the order of their log: the posts, and the claps in the order of their members. */
export function* replayEvents(count: number): Generator<ReplayEvent> {
  const posts = Math.floor(count / (CLAPS_A_POST + 1));
  for (let id = 1; id <= posts; id++) yield { topic: 'posts', type: 'PostPublished', key: id, data: post(id) };
  const claps = count - posts;
  const members = Math.ceil(claps / Math.min(posts, 250));
  for (let n = 0; n < claps; n++) {
    const memberId = 1 + Math.floor((n * members) / claps);
    // A prime step: every member claps for other posts, and none twice for one.
    const postId = 1 + ((n * 7919) % posts);
    const data = { memberId, postId, count: 1 + (n % 50), updatedAt: '2025-06-01T12:00:00.000' };
    yield { topic: 'claps', type: 'PostClapped', key: postId, data };
  }
}

function post(id: number): Post {
  const next = random(id);
  const title = sentence(next, 6);
  return {
    id,
    authorId: 1 + (id % 500),
    publicationId: id % 3 === 0 ? 1 + (id % 20) : null,
    slug: `post-${id}`,
    title,
    body: JSON.parse(body(next, title)),
    readingMinutes: '3.20',
    status: 'published',
    publishedAt: '2025-06-01T12:00:00',
    createdAt: '2025-06-01T11:00:00',
    updatedAt: '2025-06-01T12:00:00.000Z',
  };
}

/** As the emitter would have appended it. */
export function logEvent({ topic, type, key, data }: ReplayEvent, n: number): NewEvent {
  return {
    topic,
    key: String(key),
    id: `replay-${String(n).padStart(20, '0')}`,
    type,
    version: 1,
    time: '2025-06-01T12:00:00.000Z',
    data: JSON.stringify(data),
    origin: 'monolith',
    epoch: 0,
    position: '0000000001:000000000000004711',
    seed: 'posts-2025-06-01T12:00:00.000Z',
  };
}
