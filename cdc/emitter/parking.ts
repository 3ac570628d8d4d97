import {
  type Cursor,
  controlEvent,
  type EventLog,
  type LoggedEvent,
  type NewEvent,
  parkingTopic,
} from '../../log/index.ts';
import { cdcFault } from '../errors.ts';
import type { EmitterState, ParkedState } from './state.ts';
import { EMITTER } from './state.ts';
import type { ParkedChange, Translator } from './translate.ts';

/** Changes that are put through the capture again between two batches of the stream: the other domains go on. */
const DRAIN_AT_ONCE = 2000;

export interface Parking {
  domain: string;
  cause: string;
  cure: string;
  /** Changes are missing from the stream: only a new seed can cure it. */
  reseed: boolean;
}

/** Sets a domain aside: the state after, and the record that tells everyone. Everything must have been flushed. */
export async function park(log: EventLog, state: EmitterState, parking: Parking): Promise<Step> {
  const { domain, cause, cure, reseed } = parking;
  const known = state.parked[domain];
  if (known && (known.reseed || !reseed) && !known.drained) return { state, events: [] };
  const parked: ParkedState = {
    from: known?.drained ?? known?.from ?? (await endOf(log, domain)),
    drained: undefined,
    changes: known?.changes ?? 0,
    reseed: reseed || (known?.reseed ?? false),
  };
  return {
    state: { ...state, parked: { ...state.parked, [domain]: parked } },
    events: [
      controlEvent('DomainParked', { domain, cause, cure, position: state.position, reseed: parked.reseed }, EMITTER),
    ],
  };
}

async function endOf(log: EventLog, domain: string): Promise<Cursor> {
  const topic = parkingTopic(domain);
  return { offset: (await log.ends([topic]))[topic]?.[0] ?? -1, id: '' };
}

/** Events that must go into one append, with the state they lead to. */
export interface Step {
  events: NewEvent[];
  state: EmitterState;
}

/**
 * Puts the next parked changes of a domain through its capture; everything in the lot must have been flushed. The
 * domain goes live in the same step as the last of them. When the capture throws once more, the domain stays parked
 * from that change on.
 */
export async function* drain(
  log: EventLog,
  translator: Translator,
  state: EmitterState,
  domain: string,
): AsyncGenerator<Step> {
  const parked = state.parked[domain];
  if (!parked?.drained) return;
  const topic = parkingTopic(domain);
  let current = state;
  let { changes } = parked;
  const end = await endOf(log, domain);
  for await (const batch of log.read({ [topic]: [parked.drained] }, { follow: false, limit: DRAIN_AT_ONCE })) {
    for (const event of batch) {
      let events: NewEvent[];
      try {
        events = again(translator, event, state);
      } catch (error) {
        yield await parkAgain(log, current, domain, event, error);
        return;
      }
      changes++;
      const drained: ParkedState = { ...parked, drained: { offset: event.offset, id: event.id }, changes };
      current = { ...current, parked: { ...current.parked, [domain]: drained } };
      yield { events, state: current };
    }
    if ((batch.at(-1)?.offset ?? -1) < end.offset) return;
  }
  const { [domain]: _, ...others } = current.parked;
  yield {
    events: [controlEvent('DomainResumed', { domain, changes }, EMITTER)],
    state: { ...current, parked: others },
  };
}

function parkAgain(
  log: EventLog,
  state: EmitterState,
  domain: string,
  event: LoggedEvent,
  error: unknown,
): Promise<Step> {
  const message = error instanceof Error ? error.message : String(error);
  const cause = `change of ${event.key}, parked at offset ${event.offset}: ${message}`;
  const lost = event.type === 'ChangeTooLarge';
  return park(log, state, { domain, cause, cure: lost ? RESEED(domain) : RESUME(domain), reseed: lost });
}

function again(translator: Translator, event: LoggedEvent, { domains }: EmitterState): NewEvent[] {
  if (event.type === 'ChangeTooLarge') throw cdcFault('BNY-CDC-TOO-LARGE');
  return translator.parkedChange(JSON.parse(event.data) as ParkedChange, domains);
}

export const RESUME = (domain: string) =>
  `Correct the capture, restart the emitter, then run \`banyan resume ${domain}\`.`;
export const RESEED = (domain: string) =>
  `Run \`banyan resume ${domain} --reseed\`: it empties the stores and seeds the domain again.`;
