import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { pino } from 'pino';
import { adminServer } from './admin.ts';
import { Breaker } from './breaker.ts';
import type { DataPlane, Service } from './data-plane.ts';
import { Exchange } from './exchange.ts';
import { Holds } from './holds.ts';
import { IdentityCache } from './identity-cache.ts';
import { drain, originOn } from './listener.ts';
import { Metrics } from './metrics.ts';
import { type RouterOptions, type Settings, settingsOf } from './options.ts';
import { PositionLookup } from './position.ts';
import { endWithProblem } from './problem.ts';
import { compileRoutes } from './routes.ts';
import { checkedState, EMPTY_STATE, type RoutingState } from './routing-state.ts';
import { handleUpgrade, isWebSocket } from './upgrade.ts';
import { Upstream } from './upstream.ts';

export interface Router {
  /** Where clients go. */
  readonly url: string;
  readonly adminUrl: string;
  /**
   * Holds from the next request on. Until the first call everything goes to the monolith, and the router is not ready.
   *
   * @throws BNY-ROUTER-STATE
   */
  apply(state: RoutingState): void;
  /** Returns when the monolith has none of the domain's writes under way that came through here. */
  drained(domain: string): Promise<void>;
  /** Fails readiness, lets requests under way finish for `drainTimeoutMs`, then cuts off what is left. */
  close(): Promise<void>;
}

/** For how long an identity is taken from memory. */
const IDENTITY_TTL_MS = 5_000;
const MAX_HEADER_BYTES = 16_384;
/** How long an idle connection of a client stays open: longer than load balancers keep theirs. */
const KEEP_ALIVE_MS = 65_000;

/** @throws BNY-ROUTER-OPTIONS, BNY-ROUTER-ROUTES, BNY-ROUTER-PORT-IN-USE, BNY-ROUTER-LISTEN */
export async function startRouter(options: RouterOptions): Promise<Router> {
  const settings = settingsOf(options);
  const plane = dataPlane(settings);
  const upgraded = new Set<Socket>();
  const server = publicServer(plane, upgraded);
  const admin = adminServer(plane);
  const url = await originOn(server, settings.listen);
  const adminUrl = await originOn(admin, settings.admin).catch((error) => {
    server.close();
    throw error;
  });
  let closing: Promise<void> | undefined;
  return {
    url,
    adminUrl,
    apply(state) {
      plane.state = checkedState(state, new Set(plane.services.keys()));
      plane.holds.release((domain) => plane.state.domains[domain]?.writes === 'held');
    },
    drained: (domain) => plane.holds.drained(domain),
    close() {
      closing ??= close(plane, server, admin, upgraded);
      return closing;
    },
  };
}

async function close(plane: DataPlane, server: Server, admin: Server, upgraded: ReadonlySet<Socket>): Promise<void> {
  plane.draining = true;
  await drain(server, plane.settings.limits.drainTimeoutMs, () => {
    for (const socket of upgraded) socket.destroy();
  });
  plane.monolith.close();
  for (const { upstream } of plane.services.values()) upstream.close();
  await drain(admin, 0, () => {});
}

function dataPlane(settings: Settings): DataPlane {
  const { breaker, identify, limits, logger } = settings;
  const log = logger ?? pino({ level: 'silent' });
  const metrics = new Metrics();
  const service = (domain: string, origin: string): Service => {
    const changed = (state: Breaker['state']) => {
      metrics.breaker(domain, state);
      log.warn({ domain, breaker: state }, 'a breaker changed');
    };
    metrics.breaker(domain, 'closed');
    return {
      domain,
      upstream: new Upstream(origin, limits),
      breaker: new Breaker(breaker, changed),
    };
  };
  return {
    settings,
    routes: compileRoutes(settings.routes),
    monolith: new Upstream(settings.monolith, limits),
    services: new Map(Object.entries(settings.services).map(([domain, origin]) => [domain, service(domain, origin)])),
    positions: new PositionLookup({
      head: settings.head,
      timeoutMs: limits.positionTimeoutMs,
      missed: (why, error) => {
        metrics.positionsMissed.add(why);
        if (error) log.warn({ err: error }, 'the newest position could not be had');
      },
    }),
    identities:
      identify &&
      new IdentityCache({
        identify,
        secret: settings.secret,
        ttlMs: IDENTITY_TTL_MS,
        timeoutMs: limits.identityTimeoutMs,
        breaker,
        failed: (error) => log.warn({ err: error }, 'it could not be found out who asks'),
      }),
    holds: new Holds(limits),
    metrics,
    log,
    state: EMPTY_STATE,
    draining: false,
  };
}

function publicServer(plane: DataPlane, upgraded: Set<Socket>): Server {
  const { limits } = plane.settings;
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(30_000, limits.headersTimeoutMs),
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      optimizeEmptyRequests: true,
      // An offer to speak h2c may be passed over in silence; many clients make it with every request.
      shouldUpgradeCallback: isWebSocket,
    },
    (req, res) => new Exchange(plane, req, res).start(),
  );
  server.maxConnections = limits.maxConnections;
  server.on('upgrade', (req, socket: Socket, head) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    void handleUpgrade(plane, req, socket, head);
  });
  server.on('connect', (_req, socket) => {
    socket.on('error', () => socket.destroy());
    endWithProblem(socket, 'BNY-ROUTER-METHOD');
  });
  return server;
}
