import { routerFault } from './errors.ts';

/** How one domain's requests are routed now. */
export interface DomainState {
  /** The share of sessions whose reads go to the service, 0 to 100. */
  readonly percent: number;
  /** False while the service must not answer at all: not seeded, or parked. That it lags it says itself, answer by answer. */
  readonly serveable: boolean;
  /** Who takes the domain's writes; `held`: nobody at present. Default: the monolith. */
  readonly writes?: 'monolith' | 'held' | 'service';
  /** Why it is as it is, for people. */
  readonly why?: string;
}

/** Everything that the router knows from the control topic. A domain that is not in it belongs to the monolith. */
export interface RoutingState {
  readonly version: number;
  readonly domains: Readonly<Record<string, DomainState>>;
}

export const EMPTY_STATE: RoutingState = { version: 0, domains: {} };

/**
 * A private copy, so that a later change of the caller's object cannot show in the middle of a request.
 *
 * @throws BNY-ROUTER-STATE
 */
export function checkedState(state: RoutingState, services: ReadonlySet<string>): RoutingState {
  const domains: Record<string, DomainState> = Object.create(null);
  for (const [domain, { percent, serveable, writes, why }] of Object.entries(state.domains)) {
    if (!services.has(domain)) throw unfit(`domain ${domain}`, `one of ${[...services].join(', ')}`);
    if (!(percent >= 0 && percent <= 100)) throw unfit(`${domain}: percent ${percent}`, 'a number from 0 to 100');
    domains[domain] = { percent, serveable, ...(writes && { writes }), ...(why !== undefined && { why }) };
  }
  return { version: state.version, domains };
}

function unfit(found: string, needed: string) {
  return routerFault('BNY-ROUTER-STATE', { found, needed });
}
