import { defineDomain } from '../kit/index.ts';
import { handleForm } from '../request.ts';
import { capture } from './capture.ts';
import { commands } from './commands.ts';
import { events } from './events.ts';
import { handback } from './handback.ts';
import { projection } from './projection.ts';
import { queries } from './queries.ts';

export const publications = defineDomain({
  name: 'publications',
  tables: {
    publications: {
      key: ['id'],
      columns: ['id', 'slug', 'name', 'description', 'owner_id', 'settings'],
      types: { settings: 'json' },
    },
    publication_editors: { key: ['publication_id', 'member_id'], columns: ['publication_id', 'member_id'] },
    submissions: {
      key: ['id'],
      columns: ['id', 'publication_id', 'post_id', 'author_id', 'status', 'submitted_at', 'decided_at'],
    },
  },
  routes: {
    reads: ['GET /publications', 'GET /publications/:slug', 'GET /publications/:slug/submissions'],
    writes: [
      'POST /publications',
      'PATCH /publications/:slug',
      'PUT /publications/:slug/editors/:memberId',
      'DELETE /publications/:slug/editors/:memberId',
      'POST /publications/:slug/submissions',
      'POST /submissions/:id/accept',
      'POST /submissions/:id/refuse',
      'DELETE /members/:id/submissions',
    ],
  },
  events,
  capture,
  projection,
  queries,
  commands,
  handback,
  unique: { publications: { slug: handleForm } },
});
