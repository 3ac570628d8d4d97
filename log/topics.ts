import { CONTROL_TOPIC, LATEST_TOPIC } from './control/records.ts';
import type { Topics } from './types.ts';

/** Where a parked domain's changes wait. */
export function parkingTopic(domain: string): string {
  return `banyan.parked.${domain}`;
}

/** Where a processor lays the events that its handlers fail at. */
export function deadTopic(processor: string): string {
  return `banyan.dead.${processor}`;
}

/** What stood before it in a domain's topic counts no longer. */
export const RESET_TYPE = 'DomainReset';
/** In each partition of a domain's topic: from here on its events come from another owner. */
export const OWNER_TYPE = 'OwnershipChanged';

/** Whether an event in a domain's topic is Banyan's own, and none of the domain's. */
export function isOwnType(type: string): boolean {
  return type === RESET_TYPE || type === OWNER_TYPE;
}

/** Every topic of a log: one a domain, its parking lot, one a processor for its dead letters, and the control plane. */
export function topicsFor(
  domains: Readonly<Record<string, { partitions?: number }>>,
  processors: readonly string[] = [],
): Topics {
  // Without a prototype: `constructor` is no topic.
  const topics: Topics = Object.assign(Object.create(null), {
    [CONTROL_TOPIC]: {},
    [LATEST_TOPIC]: { compacted: true },
  });
  for (const [name, { partitions }] of Object.entries(domains)) {
    topics[name] = partitions === undefined ? {} : { partitions };
    topics[parkingTopic(name)] = {};
  }
  for (const name of processors) topics[deadTopic(name)] = {};
  return topics;
}
