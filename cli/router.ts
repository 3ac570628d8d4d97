import type { Command } from 'commander';
import { type RoutingState, startRouter } from '../router/index.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import type { Config } from './config/schema.ts';
import { openSource } from './emit.ts';
import { serviceUrl } from './serve.ts';
import { startThread } from './threads.ts';

export function registerRouter(program: Command): void {
  const command = program
    .command('router')
    .description('Run the router: the HTTP proxy in front of monolith and services');
  handle(standard(command, ['banyan router']), runRouter);
}

async function runRouter(context: Context): Promise<number> {
  const { config, logger, signal, options } = context;
  const source = openSource(config, logger);
  const { host, port, adminHost, adminPort, sessionCookie, strict, testerToken, timeoutMs } = config.router;
  const router = await startRouter({
    listen: { host, port },
    admin: { host: adminHost, port: adminPort },
    monolith: new URL(config.monolith.url).origin,
    services: Object.fromEntries(config.domains.map(({ name }) => [name, serviceUrl(config, name)])),
    routes: routesOf(config),
    head: () => source.head(),
    secret: context.secret,
    strict,
    logger,
    limits: { upstreamTimeoutMs: timeoutMs },
    ...(config.identify && { identify: config.identify }),
    ...(sessionCookie !== undefined && { sessionCookie }),
    ...(testerToken !== '' && { testerToken }),
  });
  // The log is followed in a thread of its own: one large append on this one would hold up every request.
  const follower = startThread('router-thread', { configFile: options.config });
  follower.on('message', (state: RoutingState) => router.apply(state));
  const failed = new Promise<Error>((resolve) => follower.once('error', resolve));
  const stopped = new Promise<undefined>((resolve) =>
    signal.addEventListener('abort', () => resolve(undefined), { once: true }),
  );
  const error = await Promise.race([failed, stopped]);
  await router.close();
  await source.close();
  await follower.terminate();
  if (error) throw error;
  return EXIT.done;
}

function routesOf(config: Config) {
  return config.domains.flatMap(({ name, routes }) => [
    ...routes.reads.map((route) => ({ ...route, domain: name, kind: 'read' as const })),
    ...routes.writes.map((route) => ({ ...route, domain: name, kind: 'write' as const })),
  ]);
}
