import { randomFrom } from '../traffic/random.ts';

/** `replay …`: the service of that domain, in the middle of a replay. */
export type Target =
  | 'up'
  | 'emit'
  | 'router'
  | 'mariadb'
  | 'kafka'
  | 'connect'
  | `serve ${string}`
  | `replay ${string}`;

export interface Round {
  /** How long after the round before, ms. */
  afterMs: number;
  target: Target;
}

/** The same seed gives the same plan. */
export function planOf(seed: number, rounds: number, domains: readonly string[], servers: Target[] = []): Round[] {
  const random = randomFrom(seed);
  const ofDomains = domains.flatMap((name): Target[] => [`serve ${name}`, `replay ${name}`]);
  const targets: Target[] = ['emit', 'emit', 'emit', 'mariadb', 'mariadb', 'router', 'up', ...ofDomains, ...servers];
  return Array.from({ length: rounds }, () => ({
    afterMs: Math.round(50 + random() * 1200),
    target: targets[Math.floor(random() * targets.length)] as Target,
  }));
}
