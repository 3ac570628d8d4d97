import { randomUUID, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { parseTarget } from './canonical-path.ts';
import { cookieValue, POSITION_COOKIE, SESSION_COOKIE } from './cookies.ts';
import type { DataPlane } from './data-plane.ts';
import { type Doubt, decide, type RequestFacts, type Side, type Verdict } from './decide.ts';
import { isHostClear } from './host.ts';
import type { Credentials } from './identity-cache.ts';
import { type Origin, originOf } from './origin.ts';
import { isPosition, UNKNOWN_POSITION } from './position.ts';
import type { ProblemCode } from './problem.ts';
import { hasBody } from './request-headers.ts';
import type { RouteDeclaration } from './routes.ts';
import { bucketOf } from './session.ts';

/** A request as the router understands it. Nothing is read from the request itself after this. */
export interface Intake {
  readonly verdict: Verdict;
  readonly target: string;
  readonly received: IncomingHttpHeaders;
  readonly origin: Origin;
  readonly hasBody: boolean;
  /** It may change something: what was known of this session, or what its reads must show. */
  readonly writes: boolean;
  readonly credentials: Credentials;
  /** Set if this session has no name yet and its reads must stay on one side. */
  readonly newSession?: string | undefined;
  /** What a read must at least show. */
  readonly minPosition?: string | undefined;
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Reads and decides a request, or says why it is refused. */
export function takeIn(plane: DataPlane, req: IncomingMessage): Intake | ProblemCode {
  const { method = '', url: target = '', headers: received } = req;
  if (method === 'TRACE') return 'BNY-ROUTER-METHOD';
  if (!isHostClear(req)) return 'BNY-ROUTER-HOST';
  const parsed = parseTarget(target);
  if (!parsed.canonical) {
    plane.metrics.notCanonical.add(parsed.reason);
    if (plane.settings.strict) return 'BNY-ROUTER-NOT-CANONICAL';
  }
  const route = parsed.canonical ? plane.routes.match(method, parsed.path) : undefined;
  const overridden = overridesMethod(parsed.canonical ? parsed.query : '', received);
  const writes = !SAFE.has(method) || route?.kind === 'write' || overridden;
  const session = sessionOf(plane, received.cookie);
  const request = {
    target,
    received,
    origin: originOf(req, received, plane.settings.trustedProxies),
    hasBody: hasBody(received),
    writes,
    credentials: { session: session ?? undefined, cookie: received.cookie, authorization: received.authorization },
  };
  if (!parsed.canonical) return { ...request, verdict: verdictOn(plane, { notCanonical: parsed.reason }) };
  if (!route || writes) {
    const doubt = overridden ? ('method-override' as const) : undefined;
    return { ...request, verdict: verdictOn(plane, route ? { route, doubt } : {}) };
  }

  const { id, isNew } = rampedSession(plane, route, session, received.cookie);
  const minPosition = minPositionOf(received);
  const verdict = verdictOn(plane, {
    route,
    doubt: doubtOf(request.hasBody, session),
    prefer: preferenceOf(plane.settings.testerToken, received),
    positionUnknown: minPosition === UNKNOWN_POSITION,
    bucket: id === undefined ? 0 : bucketOf(route.domain, id),
  });
  return { ...request, verdict, minPosition, newSession: isNew ? id : undefined };
}

function verdictOn({ services, state }: DataPlane, facts: RequestFacts): Verdict {
  return decide(facts, state, (domain) => services.get(domain)?.breaker.admits(performance.now()) ?? false);
}

function sessionOf({ settings }: DataPlane, cookies: string | undefined): string | null | undefined {
  return settings.sessionCookie === undefined ? undefined : cookieValue(cookies, settings.sessionCookie);
}

/** Only a share between none and all needs sessions to have a name. */
function rampedSession(
  { state }: DataPlane,
  { domain }: RouteDeclaration,
  session: string | null | undefined,
  cookies: string | undefined,
): { id?: string; isNew: boolean } {
  const reads = state.domains[domain];
  if (!reads?.serveable || reads.percent === 0 || reads.percent === 100) return { isNew: false };
  const id = session ?? cookieValue(cookies, SESSION_COOKIE);
  return id ? { id, isNew: false } : { id: randomUUID(), isNew: true };
}

function doubtOf(body: boolean, session: string | null | undefined): Doubt | undefined {
  if (body) return 'body';
  return session === null ? 'session-ambiguous' : undefined;
}

const METHOD_HEADERS = ['x-http-method-override', 'x-http-method', 'x-method-override'].flatMap((name) => [
  name,
  name.replaceAll('-', '_'),
]);

/**
 * `?_method=DELETE`, or a header, makes a write of a read in many frameworks; only the monolith knows. In doubt it does:
 * `x_method` stays with the monolith too.
 */
function overridesMethod(query: string, received: IncomingHttpHeaders): boolean {
  for (const name of METHOD_HEADERS) if (received[name] !== undefined) return true;
  if (query === '') return false;
  const plain = query.includes('%')
    ? query.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    : query;
  return plain.toLowerCase().includes('_method');
}

function preferenceOf(token: string | undefined, received: IncomingHttpHeaders): Side | undefined {
  const side = received['banyan-prefer'];
  if (token === undefined || (side !== 'service' && side !== 'monolith')) return undefined;
  const expected = Buffer.from(token);
  const shown = Buffer.from(String(received['banyan-tester'] ?? ''));
  return shown.length === expected.length && timingSafeEqual(shown, expected) ? side : undefined;
}

/** A header is of a client that keeps account itself; the cookie is the router's own account. */
function minPositionOf(received: IncomingHttpHeaders): string | undefined {
  const header = received['banyan-min-position'];
  if (typeof header === 'string' && isPosition(header)) return header;
  const cookie = cookieValue(received.cookie, POSITION_COOKIE);
  if (cookie === null) return UNKNOWN_POSITION;
  return cookie !== undefined && isPosition(cookie) ? cookie : undefined;
}
