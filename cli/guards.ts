import type { ControlFold, LatestData } from '../log/index.ts';
import type { Domain } from '../services/kit/index.ts';
import { cliFault } from './errors.ts';

/** A condition of a step. "Not now" is a value: a guard that cannot be checked throws instead. */
export interface Guard {
  guard: string;
  ok: boolean;
  found: string;
  cure: string;
}

/** The newest sign of life of a domain's services, youngest store first. */
export function beatsOf(fold: ControlFold, domain: string): LatestData<'ServiceBeat'>[] {
  const beats = [...fold.latest.values()].flatMap((record) =>
    record.type === 'ServiceBeat' &&
    record.data.domain === domain &&
    Date.now() - Date.parse(record.time) < STALE_BEAT_MS
      ? [record.data]
      : [],
  );
  return beats.sort((a, b) => b.freshAt - a.freshAt);
}

const STALE_BEAT_MS = 5000;

/** Why a request to the emitter may have to wait, if so: nobody is there to take it. */
export function emitterSilence(fold: ControlFold): string | undefined {
  const beat = fold.latest.get('emitter');
  if (beat?.type === 'EmitterBeat' && beat.data.state === 'live' && Date.now() - Date.parse(beat.time) < STALE_BEAT_MS)
    return undefined;
  return 'No emitter gives a sign of life: the request stands in the log and waits for one. Start it with `banyan up` or `banyan emit`.';
}

/** What must hold before reads move to a service. */
export async function readGuards(fold: ControlFold, domain: Domain, url: string, maxLagMs: number): Promise<Guard[]> {
  const { name } = domain;
  const [beat] = beatsOf(fold, name);
  const lagMs = beat ? Math.max(0, Date.now() - beat.freshAt) : Number.POSITIVE_INFINITY;
  const seeded = [name, ...domain.projection.topics].filter((topic) => !fold.of(topic).seeded);
  const parked = [name, ...domain.projection.topics].find((topic) => fold.of(topic).parked);
  const health = await healthOf(url);
  return [
    {
      guard: 'seeded',
      ok: seeded.length === 0,
      found: seeded.length === 0 ? 'yes' : `not seeded: ${[...new Set(seeded)].join(', ')}`,
      cure: [...new Set(seeded)].map((topic) => `banyan etl ${topic}`).join('; '),
    },
    {
      guard: 'not parked',
      ok: parked === undefined,
      found: parked === undefined ? 'live' : `${parked} is parked: ${fold.of(parked).parked?.cause}`,
      cure: `banyan resume ${parked}`,
    },
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

async function healthOf(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(3000) });
    const body = (await response.json()) as { status?: string };
    return response.ok ? undefined : `${url}: ${body.status ?? response.status}`;
  } catch (error) {
    return `${url}: ${(error as Error).cause instanceof Error ? ((error as Error).cause as Error).message : (error as Error).message}`;
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
