import config from '../../banyan.config.ts';
import { startRouter } from '../../router/index.ts';
import { exitWhenAsked } from './server.ts';

/** The router with the example's routes and every decision switched on: `router-process.ts ORIGIN`. */
const origin = process.argv[2] ?? '';
const router = await startRouter({
  listen: { host: '127.0.0.1', port: 0 },
  monolith: origin,
  services: Object.fromEntries(config.domains.map(({ name }) => [name, origin])),
  routes: config.domains.flatMap(({ name, routes }) => [
    ...routes.reads.map((route) => ({ ...route, domain: name, kind: 'read' as const })),
    ...routes.writes.map((route) => ({ ...route, domain: name, kind: 'write' as const })),
  ]),
  head: async () => '0000000001:000000000000004711',
  identify: async () => ({ id: 7 }),
  secret: 'a secret for the benchmark of the router',
  sessionCookie: 'sid',
  testerToken: 'a token for testers',
  positionTtlSeconds: 11,
});
router.apply({
  version: 1,
  domains: {
    profiles: { percent: 100, serveable: true },
    posts: { percent: 100, serveable: true },
    claps: { percent: 0, serveable: true },
    publications: { percent: 50, serveable: true },
  },
});
process.stdout.write(`${router.url}\n`);
exitWhenAsked();
