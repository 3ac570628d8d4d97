import { defineConfig } from './cli/config/index.ts';
import { claps } from './services/claps/domain.ts';
import { posts } from './services/posts/domain.ts';
import { notifyAuthors } from './services/processors/notify-authors.ts';
import { placePosts } from './services/processors/place-posts.ts';
import { withdrawSubmissions } from './services/processors/withdraw-submissions.ts';
import { profiles } from './services/profiles/domain.ts';
import { publications } from './services/publications/domain.ts';

const monolith = process.env['BANYAN_MONOLITH_URL'] ?? 'http://127.0.0.1:3000';

/** The example. Passwords and the secret come from the environment: see docs/configuration.md. */
export default defineConfig({
  monolith: { url: monolith, database: { schema: 'monolith' } },
  domains: [profiles, posts, claps, publications],
  processors: [withdrawSubmissions, notifyAuthors, placePosts],
  router: { sessionCookie: 'sid' },
  async identify({ cookie }) {
    const response = await fetch(`${monolith}/session`, { headers: { cookie: String(cookie) } });
    if (!response.ok) throw new Error(`the monolith answers ${response.status}`);
    return ((await response.json()) as { member: { id: number } | null }).member;
  },
});
