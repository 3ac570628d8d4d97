import { serviceFault } from './errors.ts';
import type { EventData, EventRegistry } from './events.ts';
import type { Occurrence } from './projection.ts';

/** What a handler works with beside the event. */
export interface ProcessorTools {
  /** The event's id: at every delivery of the event the same, and of no other. */
  idempotencyKey: string;
  /** Aborts when the handler's time is over, or when the processor has to end. */
  signal: AbortSignal;
  /** Counts from 1. */
  attempt: number;
  /** The URL of the router: where a handler writes, as any client does. */
  router: string;
}

type Handler<Data> = (event: Occurrence<Data>, tools: ProcessorTools) => Promise<void> | void;

type TypeOf<E extends EventRegistry> = E extends EventRegistry ? keyof E['definitions'] & string : never;
type DataOf<E extends EventRegistry, T> = E extends EventRegistry
  ? T extends keyof E['definitions']
    ? EventData<E, T>
    : never
  : never;

export interface ProcessorFiles<E extends EventRegistry> {
  /** Lower case; names its progress and its dead letters in the log, for life. */
  name: string;
  /** The events of the domains whose topics it reads. */
  topics: readonly E[];
  /** What it reacts to; it passes over events of other types. */
  handlers: { readonly [T in TypeOf<E>]?: Handler<DataOf<E, T>> };
  /** Whether rows that a seed has read concern it: nothing has happened to them. Default `ignore`. */
  seeds?: 'ignore' | 'handle';
  /** Where it begins when it is started for the first time. Default `now`: at the end of the log. */
  from?: 'now' | 'beginning';
  /** How often an event is tried again before it becomes a dead letter. Default 8. */
  retries?: number;
  /** Wait before the first retry; twice as long before each further one, a minute at most. Default 250. */
  backoffMs?: number;
  /** How long a handler may take. Default 30,000. */
  deadlineMs?: number;
}

/** A processor, with every default. */
export interface Processor {
  name: string;
  /** Topic → its events. */
  topics: ReadonlyMap<string, EventRegistry>;
  handlers: Readonly<Record<string, Handler<never>>>;
  seeds: 'ignore' | 'handle';
  from: 'now' | 'beginning';
  retries: number;
  backoffMs: number;
  deadlineMs: number;
}

/**
 * Side effects of events. A handler gets an event at least once: it must do nothing the second time, and
 * `tools.idempotencyKey` tells the times apart. Events of one partition come one after the other, in their order.
 *
 * @throws BNY-SERVICE-PROCESSOR
 */
export function defineProcessor<E extends EventRegistry>(files: ProcessorFiles<E>): Processor {
  const { name, topics, seeds = 'ignore', from = 'now', retries = 8, backoffMs = 250, deadlineMs = 30_000 } = files;
  const handlers = files.handlers as unknown as Processor['handlers'];
  const misfit = (found: string) => serviceFault('BNY-SERVICE-PROCESSOR', { found: `${name}: ${found}` });
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name)) throw misfit('a name is lower-case letters, digits and hyphens');
  const domains = topics.map(({ domain }) => domain);
  for (const domain of domains)
    if (domains.indexOf(domain) !== domains.lastIndexOf(domain)) throw misfit(`topic ${domain} stands there twice`);
  if (Object.keys(handlers).length === 0) throw misfit('it handles nothing');
  for (const type of Object.keys(handlers)) {
    const of = topics.filter((events) => events.types.includes(type)).map(({ domain }) => domain);
    if (of.length === 0) throw misfit(`no topic of it has an event ${type}`);
    if (of.length > 1) throw misfit(`${type} is an event of ${of.join(' and of ')}: which one is meant?`);
  }
  if (!Number.isInteger(retries) || retries < 0) throw misfit(`retries: ${retries} is no whole number`);
  for (const [key, ms] of Object.entries({ backoffMs, deadlineMs }))
    if (!(ms > 0 && ms <= 3_600_000)) throw misfit(`${key}: ${ms} is not between 1 and 3,600,000`);
  const registries = new Map(topics.map((events): [string, EventRegistry] => [events.domain, events]));
  return { name, topics: registries, handlers, seeds, from, retries, backoffMs, deadlineMs };
}
