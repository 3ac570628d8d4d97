import type { IncomingMessage, ServerResponse } from 'node:http';

const HOP_BY_HOP = new Set([
  ...['connection', 'proxy-connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['proxy-authenticate', 'proxy-authorization'],
]);

/**
 * Starts the client's answer with the head of a server's: as it came, without what concerned that connection only and
 * without `Banyan-*`, which only the router says. `added` are names and values in turn.
 *
 * @throws when Node does not take a value that its own parser let through.
 */
export function relayHead(from: IncomingMessage, to: ServerResponse, added: readonly string[]): void {
  const { rawHeaders } = from;
  const headers: string[] = [];
  let listed: Set<string> | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    const value = rawHeaders[at + 1] as string;
    const lower = name.toLowerCase();
    if (lower === 'connection' && value !== 'keep-alive' && value !== 'close') {
      listed = new Set(value.split(',').map((option) => option.trim().toLowerCase()));
    }
    if (!HOP_BY_HOP.has(lower) && !lower.startsWith('banyan-')) headers.push(name, value);
  }
  const kept = listed ? without(headers, listed) : headers;
  to.writeHead(from.statusCode ?? 502, from.statusMessage, added.length > 0 ? [...kept, ...added] : kept);
}

function without(headers: readonly string[], names: ReadonlySet<string>): string[] {
  return headers.filter((_, at) => !names.has((headers[at - (at % 2)] as string).toLowerCase()));
}

export function hasHeader({ rawHeaders }: IncomingMessage, lowerName: string): boolean {
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) return true;
  }
  return false;
}

/** As `pipe` does, with the three listeners that are needed: httpxy and the exchange see to everything that ends early. */
export function relayBody(from: IncomingMessage, to: ServerResponse): void {
  from.on('data', (chunk) => {
    if (!to.write(chunk)) from.pause();
  });
  from.on('end', () => to.end());
  to.on('drain', () => from.resume());
}
