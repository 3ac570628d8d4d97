import type { Logger } from 'pino';
import type { Breaker } from './breaker.ts';
import type { Holds } from './holds.ts';
import type { IdentityCache } from './identity-cache.ts';
import type { Metrics } from './metrics.ts';
import type { Settings } from './options.ts';
import type { PositionLookup } from './position.ts';
import type { RouteTable } from './routes.ts';
import type { RoutingState } from './routing-state.ts';
import type { Upstream } from './upstream.ts';

/** What every request of a router shares. */
export interface DataPlane {
  readonly settings: Settings;
  readonly routes: RouteTable;
  readonly monolith: Upstream;
  readonly services: ReadonlyMap<string, Service>;
  readonly positions: PositionLookup;
  readonly identities: IdentityCache | undefined;
  readonly holds: Holds;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Replaced as a whole: a request reads it once. */
  state: RoutingState;
  draining: boolean;
}

export interface Service {
  readonly domain: string;
  readonly upstream: Upstream;
  readonly breaker: Breaker;
}
