import { defineDomain } from '../kit/index.ts';
import { handleForm } from '../request.ts';
import { capture } from './capture.ts';
import { commands } from './commands.ts';
import { events } from './events.ts';
import { handback } from './handback.ts';
import { projection } from './projection.ts';
import { queries } from './queries.ts';

export const profiles = defineDomain({
  name: 'profiles',
  tables: {
    members: {
      key: ['id'],
      // Without last_seen_at: every sign-in writes it.
      columns: ['id', 'username', 'name', 'bio', 'status', 'joined_at'],
      excluded: ['password_hash', 'email'],
    },
  },
  routes: {
    reads: ['GET /members', 'GET /members/:username'],
    writes: ['POST /members', 'PATCH /members/me', 'POST /members/:id/suspend', 'POST /members/:id/reinstate'],
  },
  events,
  capture,
  projection,
  queries,
  commands,
  handback,
  unique: { members: { username: handleForm } },
});
