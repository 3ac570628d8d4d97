import type { IncomingHttpHeaders } from 'node:http';
import type { BlockList } from 'node:net';
import type { Logger } from 'pino';
import type { Identity } from '../services/kit/http/identity-header.ts';
import type { BreakerOptions } from './breaker.ts';
import { routerFault } from './errors.ts';
import { isNetwork, networksOf } from './networks.ts';
import type { RouteDeclaration } from './routes.ts';

export interface Address {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface RouterOptions {
  readonly listen: Address;
  /** `allowedHosts`: values of Host that are answered beside the address itself; the others are refused (DNS rebinding). */
  readonly admin?: Partial<Address> & { readonly allowedHosts?: readonly string[] };
  /** Origins, such as `http://127.0.0.1:3000`: no path. */
  readonly monolith: string;
  readonly services: Readonly<Record<string, string>>;
  readonly routes: readonly RouteDeclaration[];
  /** The source's newest committed position; must not be older than the moment of the call. */
  readonly head: () => Promise<string>;
  /**
   * Asks the monolith who makes a request that carries these headers; `null`: nobody that it knows. Requests without
   * Cookie and Authorization are not asked about. Without this, services learn nothing of who asks.
   */
  readonly identify?: (headers: IncomingHttpHeaders) => Promise<Identity | null>;
  /** Signs the identity header; the services hold the same. At least 32 characters. */
  readonly secret: string;
  /**
   * Addresses, and networks such as `10.0.0.0/8`, of the proxies in front: their word on who the client is and how it
   * came is passed on. Nobody else's is.
   */
  readonly trustedProxies?: readonly string[];
  /** The monolith's session cookie. Reads stick to a side by it, and identities are dropped by it. */
  readonly sessionCookie?: string;
  /** Who sends it in `Banyan-Tester` may choose the side by `Banyan-Prefer`. At least 16 characters. */
  readonly testerToken?: string;
  /** Refuses paths that are not canonical instead of leaving them to the monolith. */
  readonly strict?: boolean;
  /** Adds `Secure` to the router's cookies: for a site that browsers reach by HTTPS. */
  readonly secureCookies?: boolean;
  /**
   * For how long a session's reads are asked for its own writes. Not less than the lag at which the services stop
   * answering: in between, a service would answer a session from before its write.
   */
  readonly positionTtlSeconds: number;
  readonly breaker?: Partial<BreakerOptions>;
  readonly limits?: Partial<Limits>;
  readonly logger?: Logger;
}

/** Times are for one wait, not for a whole request, where nothing else is said. */
export interface Limits {
  readonly maxConnections: number;
  /** For the whole head of a request. */
  readonly headersTimeoutMs: number;
  /** For a whole request with its body; bounds uploads. */
  readonly requestTimeoutMs: number;
  /** For connecting to a server behind; and how long an idle connection to one is kept for the next request. Less than that server keeps its own. */
  readonly connectTimeoutMs: number;
  /** Silence of a server behind, before and in its answer. */
  readonly upstreamTimeoutMs: number;
  /** From sending a read to a service until the head of its answer. */
  readonly serviceTimeoutMs: number;
  readonly identityTimeoutMs: number;
  readonly positionTimeoutMs: number;
  /** Writes that wait at once while their domain changes its owner, and how long one of them may. */
  readonly maxHeld: number;
  readonly holdTimeoutMs: number;
  /** How long `close` lets requests under way finish. */
  readonly drainTimeoutMs: number;
}

const DEFAULT_LIMITS: Limits = {
  maxConnections: 10_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 300_000,
  connectTimeoutMs: 4_000,
  upstreamTimeoutMs: 60_000,
  serviceTimeoutMs: 2_000,
  identityTimeoutMs: 1_000,
  positionTimeoutMs: 20,
  maxHeld: 1_000,
  holdTimeoutMs: 10_000,
  drainTimeoutMs: 10_000,
};

/** The options with everything filled in that has a default. */
export type Settings = Required<Omit<RouterOptions, Optional | 'trustedProxies'>> &
  Pick<RouterOptions, Optional> & {
    readonly limits: Limits;
    readonly trustedProxies: BlockList;
    readonly breaker: BreakerOptions;
    readonly admin: Address & { readonly allowedHosts: readonly string[] };
  };

type Optional = 'identify' | 'sessionCookie' | 'testerToken' | 'logger' | 'limits' | 'breaker' | 'admin';

/** @throws BNY-ROUTER-OPTIONS naming everything that is wrong. */
export function settingsOf(options: RouterOptions): Settings {
  const proxies = options.trustedProxies ?? [];
  const flaws = [
    ...[options.monolith, ...Object.values(options.services)].map(originFlaw),
    options.secret.length < 32 && 'secret has less than 32 characters',
    options.testerToken !== undefined && options.testerToken.length < 16 && 'testerToken has less than 16 characters',
    ...proxies.map((text) => !isNetwork(text) && `trustedProxies: ${text} is no address and no network`),
    ...new Set(
      options.routes.map(({ domain }) => !Object.hasOwn(options.services, domain) && `services lack ${domain}`),
    ),
  ].filter(Boolean);
  if (flaws.length > 0) throw routerFault('BNY-ROUTER-OPTIONS', { found: flaws.join('; ') });
  return {
    strict: false,
    secureCookies: false,
    ...options,
    trustedProxies: networksOf(proxies),
    admin: { host: '127.0.0.1', port: 0, allowedHosts: [], ...options.admin },
    breaker: { failures: 5, delayMs: 2_000, ...options.breaker },
    limits: { ...DEFAULT_LIMITS, ...options.limits },
  };
}

function originFlaw(origin: string): string | false {
  const url = URL.parse(origin);
  const bare = url && (url.protocol === 'http:' || url.protocol === 'https:') && url.pathname === '/' && !url.search;
  return !bare && `${origin} is not an origin such as http://127.0.0.1:3000`;
}
