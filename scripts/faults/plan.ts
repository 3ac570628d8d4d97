import { randomFrom } from '../traffic/random.ts';

export type Target = 'emit' | 'router' | 'mariadb' | `serve ${string}`;

export interface Round {
  /** How long after the round before, ms. */
  afterMs: number;
  target: Target;
}

/** The same seed gives the same plan. */
export function planOf(seed: number, rounds: number, domains: readonly string[]): Round[] {
  const random = randomFrom(seed);
  const targets: Target[] = ['emit', 'emit', 'mariadb', 'router', ...domains.map((name): Target => `serve ${name}`)];
  return Array.from({ length: rounds }, () => ({
    afterMs: Math.round(50 + random() * 1200),
    target: targets[Math.floor(random() * targets.length)] as Target,
  }));
}
