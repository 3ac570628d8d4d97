import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type BlockList, isIP } from 'node:net';
import { isHostValue } from './host.ts';

/** Where a request comes from, as the servers behind the router are told. */
export interface Origin {
  /** The client first, then each proxy on the way; the last one is the router's own peer. */
  readonly addresses: readonly string[];
  readonly proto: 'http' | 'https';
  readonly host: string | undefined;
}

/** Only a trusted proxy is believed what it says of its own client; anybody else could say it of anybody. */
export function originOf({ socket }: IncomingMessage, received: IncomingHttpHeaders, trusted: BlockList): Origin {
  const peer = socket.remoteAddress ?? 'unknown';
  const address = peer.startsWith('::ffff:') ? peer.slice(7) : peer;
  if (!isTrusted(address, trusted)) return { addresses: [address], proto: 'http', host: received.host };
  const { 'x-forwarded-for': path, 'x-forwarded-proto': proto, 'x-forwarded-host': host } = received;
  return {
    addresses: [...believed(String(path ?? '')), address],
    proto: proto === 'https' ? 'https' : 'http',
    host: typeof host === 'string' && host !== '' && isHostValue(host) ? host : received.host,
  };
}

function isTrusted(address: string, trusted: BlockList): boolean {
  const version = isIP(address);
  return version !== 0 && trusted.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/**
 * The addresses at the end of the list, up to the first entry that is none. What stands before that goes with it:
 * a client can begin the list itself, and must not come to stand where a proxy put its address.
 */
function believed(path: string): string[] {
  const entries = path.split(',').map(bare);
  return entries.slice(entries.findLastIndex((entry) => isIP(entry) === 0) + 1);
}

/** Without the port that some proxies add. */
function bare(entry: string): string {
  return entry.trim().replace(/^\[([^\]]*)\](?::\d+)?$|^([\d.]+):\d+$/, '$1$2');
}
