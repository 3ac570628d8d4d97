import { columns, type Handbacks, type RowChange } from '../kit/index.ts';
import type { events } from './events.ts';

export const handback: Handbacks<typeof events> = {
  PostClapped: ({ data }) => [{ table: 'claps', put: columns(data) }, recount(data.postId)],
  ClapsTakenBack: ({ data }) => [{ table: 'claps', delete: columns(data) }, recount(data.postId)],
};

/** The monolith bumps its counter with every clap; counted anew, it is right however often this is done. */
const recount = (id: number): RowChange => ({
  table: 'posts',
  derive: { set: { clap_count: COUNTED }, where: { id } },
});

const COUNTED = { sql: '(SELECT COALESCE(SUM(claps.count), 0) FROM claps WHERE claps.post_id = posts.id)' };
