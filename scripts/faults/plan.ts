import { randomFrom } from '../traffic/random.ts';

/** `second …`: another service of that domain, on the same store; `replay …`: a service in the middle of a replay. */
export type Target =
  | 'up'
  | 'emit'
  | 'router'
  | 'mariadb'
  | 'kafka'
  | 'connect'
  | `serve ${string}`
  | `second ${string}`
  | `process ${string}`
  | `replay ${string}`;

export interface Round {
  /** How long after the round before, ms. */
  afterMs: number;
  target: Target;
}

export interface Parts {
  domains: readonly string[];
  /** The domain that two services run of. */
  doubled: string;
  processors: readonly string[];
  servers: readonly ('kafka' | 'connect')[];
}

/** The same seed gives the same plan. Each kind of part has its turn before any has a second one. */
export function planOf(seed: number, rounds: number, { domains, doubled, processors, servers }: Parts): Round[] {
  const random = randomFrom(seed);
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
  const services = domains.map((name): Target => `serve ${name}`);
  const replays = domains.map((name): Target => `replay ${name}`);
  // Twice or more what is the likelier to lose something.
  const kinds: Target[][] = [
    ['emit', 'emit', 'emit'],
    ['mariadb', 'mariadb'],
    ['router'],
    ['up'],
    [`serve ${doubled}`, `second ${doubled}`],
    services,
    replays,
    processors.map((name): Target => `process ${name}`),
    ...servers.map((name): Target[] => [name, name]),
  ];
  const first = kinds.map((kind) => ({ place: random(), target: pick(kind) })).sort((a, b) => a.place - b.place);
  const targets = kinds.flat();
  return Array.from({ length: rounds }, (_, n) => ({
    afterMs: Math.round(50 + random() * 1200),
    target: first[n]?.target ?? pick(targets),
  }));
}

/** What is killed, in a person's words. */
export function partOf(target: Target): string {
  const [kind = '', name = ''] = target.split(' ');
  if (kind === 'second') return `second serve ${name}`;
  return kind === 'replay' ? `serve ${name} in a replay` : target;
}
