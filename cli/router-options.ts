import type { RouterOptions } from '../router/options.ts';
import type { Context } from './command.ts';
import { serviceUrl } from './config/places.ts';
import type { Config } from './config/schema.ts';

/** The router's options as a configuration gives them. */
export function routerOptions(
  { config, secret, logger }: Pick<Context, 'config' | 'secret' | 'logger'>,
  head: RouterOptions['head'],
): RouterOptions {
  const { host, port, adminHost, adminPort, adminAllowedHosts, timeoutMs } = config.router;
  const { secureCookies, sessionCookie, strict, testerToken, trustedProxies } = config.router;
  return {
    listen: { host, port },
    admin: { host: adminHost, port: adminPort, allowedHosts: adminAllowedHosts },
    monolith: new URL(config.monolith.url).origin,
    services: Object.fromEntries(config.domains.map(({ name }) => [name, serviceUrl(config, name)])),
    routes: routesOf(config),
    head,
    secret,
    secureCookies,
    strict,
    trustedProxies,
    logger,
    // A service answers until its store is that old. Browsers count in whole seconds, hence one more.
    positionTtlSeconds: Math.ceil(config.services.maxLagMs / 1000) + 1,
    limits: { upstreamTimeoutMs: timeoutMs },
    ...(config.identify && { identify: config.identify }),
    ...(sessionCookie !== undefined && { sessionCookie }),
    ...(testerToken !== '' && { testerToken }),
  };
}

function routesOf(config: Config): RouterOptions['routes'] {
  return config.domains.flatMap(({ name, routes }) => [
    ...routes.reads.map((route) => ({ ...route, domain: name, kind: 'read' as const })),
    ...routes.writes.map((route) => ({ ...route, domain: name, kind: 'write' as const })),
  ]);
}
