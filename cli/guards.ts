import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlFold, LatestData } from '../log/index.ts';
import type { Domain } from '../services/kit/index.ts';
import type { Context } from './command.ts';
import { openSource } from './config/adapters.ts';
import { cliFault } from './errors.ts';
import { reasonOf } from './reach.ts';

/** A condition of a step. "Not now" is a value: a guard that cannot be checked throws instead. */
export interface Guard {
  guard: string;
  ok: boolean;
  found: string;
  cure: string;
}

/** The newest sign of life of a domain's services, youngest store first; `toldAt`: when it was given. */
export function beatsOf(fold: ControlFold, domain: string): (LatestData<'ServiceBeat'> & { toldAt: number })[] {
  const beats = [...fold.latest.values()].flatMap((record) =>
    record.type === 'ServiceBeat' &&
    record.data.domain === domain &&
    Date.now() - Date.parse(record.time) < STALE_BEAT_MS
      ? [{ ...record.data, toldAt: Date.parse(record.time) }]
      : [],
  );
  return beats.sort((a, b) => b.freshAt - a.freshAt);
}

/** Who has said nothing for this long is taken for gone. */
export const STALE_BEAT_MS = 5000;

/** What must hold before reads move to a service. */
export async function readGuards(fold: ControlFold, domain: Domain, url: string, maxLagMs: number): Promise<Guard[]> {
  const { name } = domain;
  const [beat] = beatsOf(fold, name);
  const lagMs = beat ? Math.max(0, Date.now() - beat.freshAt) : Number.POSITIVE_INFINITY;
  const seeded = [name, ...domain.projection.topics].filter((topic) => !fold.of(topic).seeded);
  const parked = [name, ...domain.projection.topics].map((topic) => notParked(fold, topic)).find(({ ok }) => !ok);
  const health = await healthOf(url);
  return [
    {
      guard: 'seeded',
      ok: seeded.length === 0,
      found: seeded.length === 0 ? 'yes' : `not seeded: ${[...new Set(seeded)].join(', ')}`,
      cure: [...new Set(seeded)].map((topic) => `banyan etl ${topic}`).join('; '),
    },
    parked ?? notParked(fold, name),
    {
      guard: 'caught up',
      ok: lagMs <= maxLagMs,
      found: Number.isFinite(lagMs) ? `${(lagMs / 1000).toFixed(1)} s behind` : 'no sign of life from the service',
      cure: 'banyan status --wait',
    },
    {
      guard: 'service healthy',
      ok: health === undefined,
      found: health ?? 'ready',
      cure: `banyan up, or banyan serve ${name}`,
    },
  ];
}

export function notParked(fold: ControlFold, domain: string): Guard {
  const { parked } = fold.of(domain);
  const found = parked ? `${domain} is parked: ${parked.cause}` : 'live';
  return { guard: 'not parked', ok: !parked, found, cure: parked?.cure ?? '' };
}

/** How long a service may take to become ready: it may have been started a moment ago. */
const READY_MS = 3000;

async function healthOf(url: string): Promise<string | undefined> {
  for (const deadline = Date.now() + READY_MS; ; await sleep(100)) {
    const problem = await problemOf(url);
    if (problem === undefined || Date.now() > deadline) return problem;
  }
}

async function problemOf(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(READY_MS) });
    const body = (await response.json()) as { status?: string };
    return response.ok ? undefined : `${url}: ${body.status ?? response.status}`;
  } catch (error) {
    return `${url}: ${reasonOf(error)}`;
  }
}

/**
 * What keeps the changes of these domains from being followed: settings of the server, and their tables as they are
 * now. What a foreign key's CASCADE changes, say, stands in no binlog: a seed would be the last that is heard of it.
 *
 * @throws BNY-CDC-UNREACHABLE, BNY-CDC-ACCESS
 */
export async function sourceGuards({ config, logger }: Context, names: readonly string[]): Promise<Guard[]> {
  const source = openSource(config, logger);
  try {
    const others = config.domains.filter(({ name }) => !names.includes(name));
    const concerns = (table: string | undefined) =>
      table === undefined || !others.some(({ tables }) => Object.hasOwn(tables, table));
    const refusing = (await source.check()).filter(({ level, table }) => level === 'error' && concerns(table));
    if (refusing.length === 0) return [{ guard: 'source', ok: true, found: 'settings and tables are right', cure: '' }];
    return refusing.map(({ check, found, cure }) => ({ guard: check, ok: false, found, cure }));
  } finally {
    await source.close();
  }
}

/** Throws when a guard refuses, naming each that does. */
export function enforce(guards: readonly Guard[]): void {
  const refusing = guards.filter(({ ok }) => !ok);
  if (refusing.length === 0) return;
  throw cliFault('BNY-CLI-REFUSED', {
    found: refusing.map(({ guard, found }) => `${guard}: ${found}`).join('; '),
    needed: refusing.map(({ guard }) => guard).join(', '),
    cure: refusing.map(({ cure }) => cure).join('; '),
  });
}
