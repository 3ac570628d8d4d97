import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { IDENTITY_HEADER } from '../services/kit/http/identity-header.ts';

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

/** What a server behind the router is sent in place of the client's own headers. */
export function forwardedHeaders(req: IncomingMessage, received: IncomingHttpHeaders): RequestHeaders {
  const listed = connectionOptions(received.connection);
  const headers: RequestHeaders = {};
  for (const name in received) {
    const value = received[name];
    if (value !== undefined && !isDropped(name) && !(listed?.has(name) && !KEPT.has(name))) headers[name] = value;
  }
  // Without it a chunked body of a GET would be sent without any framing: the next request on that connection.
  if (received['transfer-encoding'] !== undefined) headers['transfer-encoding'] = 'chunked';
  setForwarded(headers, req, received.host);
  return headers;
}

/** Services trust the router's signed identity alone: the monolith's secrets are none of their business. */
export function serviceHeaders(
  req: IncomingMessage,
  received: IncomingHttpHeaders,
  { identity, minPosition }: { identity: string | undefined; minPosition: string | undefined },
): RequestHeaders {
  const { cookie, authorization, ...headers } = forwardedHeaders(req, received);
  if (identity !== undefined) headers[IDENTITY_HEADER] = identity;
  if (minPosition !== undefined) headers['banyan-min-position'] = minPosition;
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

function setForwarded(headers: RequestHeaders, req: IncomingMessage, host: string | undefined): void {
  const { socket } = req;
  const peer = socket.remoteAddress ?? 'unknown';
  const address = peer.startsWith('::ffff:') ? peer.slice(7) : peer;
  headers['x-forwarded-for'] = address;
  headers['x-forwarded-proto'] = 'http';
  const node = address.includes(':') ? `"[${address}]"` : address;
  if (host === undefined) {
    headers['forwarded'] = `for=${node};proto=http`;
  } else {
    headers['x-forwarded-host'] = host;
    headers['forwarded'] = `for=${node};host="${host}";proto=http`;
  }
}

export function hasBody(received: IncomingHttpHeaders): boolean {
  const length = received['content-length'];
  return received['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/** Node takes the first of several Hosts; another server may take the last. */
export function isHostClear(req: IncomingMessage): boolean {
  const { rawHeaders } = req;
  let seen = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (++seen > 1 || !isHostValue(rawHeaders[at + 1] as string)) return false;
  }
  return true;
}

function isHostValue(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    // Letters, digits and `-.:[]_%~`: a name or address with a port. Anything else could leave the quotes of Forwarded.
    const alphanumeric =
      (code >= 0x30 && code <= 0x3a) || (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5b);
    if (!alphanumeric && !'-.]_%~'.includes(value[at] as string)) return false;
  }
  return true;
}
