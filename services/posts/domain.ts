import { defineDomain } from '../kit/index.ts';
import { handleForm } from '../request.ts';
import { capture } from './capture.ts';
import { commands } from './commands.ts';
import { events } from './events.ts';
import { handback } from './handback.ts';
import { projection } from './projection.ts';
import { queries } from './queries.ts';

export const posts = defineDomain({
  name: 'posts',
  tables: {
    posts: {
      key: ['id'],
      columns: [
        'id',
        'author_id',
        'publication_id',
        'slug',
        'title',
        'body',
        'reading_minutes',
        'status',
        'published_at',
        'created_at',
        'updated_at',
      ],
      derived: ['clap_count'],
      types: { body: 'json' },
    },
    post_tags: { key: ['post_id', 'tag'], columns: ['post_id', 'tag'] },
  },
  routes: {
    reads: [
      'GET /posts',
      'GET /posts/:id',
      'GET /posts/by-slug/:slug',
      'GET /me/drafts',
      'GET /tags',
      'GET /tags/:tag',
    ],
    writes: [
      'POST /posts',
      'PATCH /posts/:id',
      'POST /posts/:id/publish',
      'PUT /posts/:id/publication',
      'DELETE /posts/:id',
    ],
  },
  events,
  capture,
  projection,
  queries,
  commands,
  handback,
  unique: { posts: { slug: handleForm } },
});
