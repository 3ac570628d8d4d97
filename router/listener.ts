import type { Server } from 'node:http';
import { listen } from '../services/kit/http/listen.ts';
import { routerFault } from './errors.ts';
import type { Address } from './options.ts';

/** Listens and gives the origin. @throws BNY-ROUTER-PORT-IN-USE, BNY-ROUTER-LISTEN */
export async function originOn(server: Server, { host, port }: Address): Promise<string> {
  await listen(server, { host, port }, (error) => listenFault(error, host, port));
  const address = server.address();
  const bound = typeof address === 'object' ? address?.port : undefined;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}

function listenFault(cause: NodeJS.ErrnoException, host: string, port: number) {
  const found = `${cause.code} at ${host}:${port}`;
  if (cause.code !== 'EADDRINUSE') return routerFault('BNY-ROUTER-LISTEN', { found, cause });
  const needed = `port ${port} of ${host} free`;
  const cure = `See who listens by \`ss -ltnp 'sport = :${port}'\`; stop it, or choose another port.`;
  return routerFault('BNY-ROUTER-PORT-IN-USE', { found, needed, cure, cause });
}

/**
 * Stops accepting, waits for requests under way until the deadline, then cuts them off. A connection whose request ends
 * in between may be kept alive by its client, so idle ones are closed again and again.
 */
export async function drain(server: Server, timeoutMs: number, cutOff: () => void): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const deadline = setTimeout(() => {
    server.closeAllConnections();
    cutOff();
  }, timeoutMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
}
