import type { ControlFold } from '../../log/index.ts';
import type { Domain } from './domain.ts';

/** Why a domain's reads must stay with the monolith, by its seed and parking and those of the topics it reads. */
export function whyNotServeable(fold: Pick<ControlFold, 'of'>, domain: Domain): string | undefined {
  for (const name of [domain.name, ...domain.projection.topics]) {
    const control = fold.of(name);
    if (!control.seeded) return `${name} is not seeded`;
    if (control.parked) return `${name} is parked: ${control.parked.cause}`;
  }
  return undefined;
}
