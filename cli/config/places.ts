import { join } from 'node:path';
import type { Config } from './schema.ts';

/** Where a configuration puts things: ports, URLs and files. */
type Ports = { services: Pick<Config['services'], 'ports' | 'firstPort'>; domains: readonly { name: string }[] };

export function portOf({ services, domains }: Ports, domain: string): number {
  return services.ports[domain] ?? services.firstPort + domains.findIndex(({ name }) => name === domain);
}

export function serviceUrl(config: Config, domain: string, port = portOf(config, domain)): string {
  return `http://${config.services.host}:${port}`;
}

/** Where this machine reaches the router. */
export function routerUrl({ router }: { router: Pick<Config['router'], 'host' | 'port'> }): string {
  const everywhere = ['0.0.0.0', '::'].includes(router.host);
  const host = router.host.includes(':') ? `[${router.host}]` : router.host;
  return `http://${everywhere ? '127.0.0.1' : host}:${router.port}`;
}

export function logFile(config: Pick<Config, 'data'>): string {
  return join(config.data, 'log.sqlite');
}

export function storeFile(config: Pick<Config, 'data'>, domain: string, store: string): string {
  return join(config.data, 'stores', `${domain}.${store}.sqlite`);
}
