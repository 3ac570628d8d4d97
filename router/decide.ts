import type { NotCanonical } from './canonical-path.ts';
import type { RouteDeclaration } from './routes.ts';
import type { RoutingState } from './routing-state.ts';

/** What the decision needs to know of a request. Only a listed read has the facts after `route`. */
export interface RequestFacts {
  readonly notCanonical?: NotCanonical;
  readonly route?: RouteDeclaration;
  /** What makes it doubtful that this read is what it seems. */
  readonly doubt?: Doubt | undefined;
  /** A tester's wish; the token has been checked. */
  readonly prefer?: Side | undefined;
  /** True after a write whose position could not be had in time: only the monolith is sure to show it. */
  readonly positionUnknown?: boolean;
  /** Where the session stands among all, from 0 up to and without 100. */
  readonly bucket?: number;
}

export type Side = 'monolith' | 'service';

export type Doubt = 'body' | 'method-override' | 'session-ambiguous';

/** Why a request goes to the monolith. Label of a metric, as are the reasons below. */
export type MonolithReason =
  | Doubt
  | 'not-canonical'
  | 'unlisted'
  | 'write'
  | 'not-serveable'
  | 'position-unknown'
  | 'tester'
  | 'ramp'
  | 'breaker-open';

export type Verdict =
  | { readonly to: 'monolith'; readonly reason: MonolithReason; readonly domain?: string }
  | { readonly to: 'service'; readonly reason: 'tester' | 'ramp' | 'write'; readonly domain: string }
  /** It waits until the domain has an owner again. */
  | { readonly to: 'hold'; readonly reason: 'held'; readonly domain: string };

/** Where a request goes. Pure: everything that may change stands in the arguments. */
export function decide(facts: RequestFacts, state: RoutingState, admits: (domain: string) => boolean): Verdict {
  if (facts.notCanonical) return { to: 'monolith', reason: 'not-canonical' };
  if (!facts.route) return { to: 'monolith', reason: 'unlisted' };
  const { domain, kind } = facts.route;
  const monolith = (reason: MonolithReason): Verdict => ({ to: 'monolith', reason, domain });
  const reads = state.domains[domain];
  // One that may not be the write that it seems is refused by the fence, where it must be.
  if (kind === 'write' && !facts.doubt && reads?.writes === 'held') return { to: 'hold', reason: 'held', domain };
  if (kind === 'write' && !facts.doubt && reads?.writes === 'service')
    return { to: 'service', reason: 'write', domain };
  if (kind === 'write') return monolith('write');
  if (facts.doubt) return monolith(facts.doubt);
  if (!reads?.serveable) return monolith('not-serveable');
  if (facts.positionUnknown) return monolith('position-unknown');
  if (facts.prefer === 'monolith') return monolith('tester');
  if (facts.prefer === undefined && (facts.bucket ?? 100) >= reads.percent) return monolith('ramp');
  if (!admits(domain)) return monolith('breaker-open');
  return { to: 'service', reason: facts.prefer ? 'tester' : 'ramp', domain };
}
