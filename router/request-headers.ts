import type { IncomingHttpHeaders } from 'node:http';
import { IDENTITY_HEADER } from '../services/kit/http/identity-header.ts';
import type { Origin } from './origin.ts';

export type RequestHeaders = Record<string, string | string[]>;

/** Names that a client's request loses on the way: of one connection only, or able to pass as ours or as another request. */
const DROPPED = new Set([
  ...['connection', 'proxy-connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding'],
  ...['upgrade', 'http2-settings', 'proxy-authenticate', 'proxy-authorization'],
  // Node has answered `Expect: 100-continue` itself; and httpxy emits no `proxyReq` for a request that still has it.
  'expect',
  ...['forwarded', 'x-real-ip', 'x-original-url', 'x-original-host', 'x-rewrite-url'],
]);

/** A client that names one of these in Connection would change what the request means, or where its body ends. */
const KEPT = new Set(['host', 'content-length', 'cookie', 'authorization']);

interface Received {
  readonly received: IncomingHttpHeaders;
  readonly origin: Origin;
}

/** What a server behind the router is sent in place of the client's own headers. */
export function forwardedHeaders({ received, origin }: Received): RequestHeaders {
  const listed = connectionOptions(received.connection);
  const headers: RequestHeaders = {};
  for (const name in received) {
    const value = received[name];
    if (value !== undefined && !isDropped(name) && !(listed?.has(name) && !KEPT.has(name))) headers[name] = value;
  }
  // Without it a chunked body of a GET would be sent without any framing: the next request on that connection.
  if (received['transfer-encoding'] !== undefined) headers['transfer-encoding'] = 'chunked';
  setForwarded(headers, origin);
  return headers;
}

/** Services trust the router's signed identity alone: the monolith's secrets are none of their business. */
export function serviceHeaders(
  request: Received & { readonly minPosition?: string | undefined },
  identity: string | undefined,
): RequestHeaders {
  const { cookie, authorization, ...headers } = forwardedHeaders(request);
  if (identity !== undefined) headers[IDENTITY_HEADER] = identity;
  if (request.minPosition !== undefined) headers['banyan-min-position'] = request.minPosition;
  return headers;
}

function isDropped(name: string): boolean {
  // CGI and its heirs read `X_Forwarded_For` as `X-Forwarded-For`.
  const dashed = name.includes('_') ? name.replaceAll('_', '-') : name;
  return DROPPED.has(dashed) || dashed.startsWith('banyan-') || dashed.startsWith('x-forwarded-');
}

function connectionOptions(connection: string | undefined): Set<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  return new Set(connection.split(',').map((option) => option.trim().toLowerCase()));
}

function setForwarded(headers: RequestHeaders, { addresses, proto, host }: Origin): void {
  headers['x-forwarded-for'] = addresses.join(', ');
  headers['x-forwarded-proto'] = proto;
  if (host !== undefined) headers['x-forwarded-host'] = host;
  const rest = `${host === undefined ? '' : `;host="${host}"`};proto=${proto}`;
  const node = (address: string) => (address.includes(':') ? `"[${address}]"` : address);
  headers['forwarded'] = addresses.map((address) => `for=${node(address)}${rest}`).join(', ');
}

export function hasBody(received: IncomingHttpHeaders): boolean {
  const length = received['content-length'];
  return received['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}
