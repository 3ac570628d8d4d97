import { defineDomain } from '../kit/index.ts';
import { capture } from './capture.ts';
import { commands } from './commands.ts';
import { events } from './events.ts';
import { handback } from './handback.ts';
import { projection } from './projection.ts';
import { queries } from './queries.ts';

export const claps = defineDomain({
  name: 'claps',
  tables: {
    claps: { key: ['member_id', 'post_id'], columns: ['member_id', 'post_id', 'count', 'updated_at'] },
  },
  routes: {
    reads: ['GET /posts/:id/claps', 'GET /members/:id/claps'],
    writes: ['POST /posts/:id/claps', 'DELETE /posts/:id/claps'],
  },
  events,
  capture,
  projection,
  queries,
  commands,
  handback,
});
