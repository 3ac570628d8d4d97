import type { Ownership } from '../../log/control/ownership.ts';

/** The row in the monolith's database that its fence reads. */
export interface OwnershipRow {
  owner: 'monolith' | 'service';
  epoch: number;
}

/** Everything the coordinator decides by. It keeps nothing in mind: whoever takes its place sees the same. */
export interface Situation {
  /** As the log says, up to where the stream of the database has been read. */
  ownership: Ownership;
  row: OwnershipRow;
  /** Every router holds the domain's writes and has none under way, or may forward none any more. */
  drained: boolean;
  /** The time that clients may be kept waiting is over. */
  overdue: boolean;
  /** How far the service's events are in the monolith's tables. */
  handback: 'behind' | 'complete' | 'failed';
}

/**
 * What to do next with a domain whose owner changes; `undefined`: wait, or nothing. Each step may be taken again, and one
 * that comes late fails at what it presumes (the row's epoch, the writer's outcome): so any crash is a wait.
 *
 * To the service: begin → take (the row: after every write of the monolith, and fencing later ones) → its marker comes
 * round in the stream → the service holds the epoch: the point of no return. Before it: burn, then give back.
 * To the monolith: begin → close (fencing the service) → handback completes → give back: the point of no return. Before
 * it: grant again.
 */
export type Step = 'begin' | 'take' | 'end' | 'burn' | 'close' | 'give back' | 'grant again';

export function nextStep({ ownership, row, drained, overdue, handback }: Situation): Step | undefined {
  const { owner, epoch, outcome, moving } = ownership;
  // Its marker is on its way through the stream.
  if (row.epoch !== epoch) return undefined;
  if (outcome === 'burnt') return 'give back';
  if (outcome === 'closed') {
    if (handback === 'complete') return 'give back';
    return handback === 'failed' || overdue ? 'grant again' : undefined;
  }
  if (outcome === 'granted') return overdue || !moving ? 'burn' : undefined;
  // What a service wrote under the epoch before may stand in the log only: nobody but a service can go on.
  if (outcome === 'granted again') return undefined;
  if (!moving) return undefined;
  if (!moving.holding) return 'begin';
  if (overdue) return 'end';
  if (!drained) return undefined;
  return owner === 'monolith' ? 'take' : 'close';
}
