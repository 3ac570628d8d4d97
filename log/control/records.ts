import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { logFault } from '../errors.ts';
import type { LoggedEvent, NewEvent } from '../types.ts';

/** Requests, switches, milestones: everything that decides. Kept for ever: it is the audit. */
export const CONTROL_TOPIC = 'banyan.control';
/** Progress and signs of life: compacted, only the newest of a key matters. */
export const LATEST_TOPIC = 'banyan.latest';

const domain = z.string();
const processor = z.string();
const run = z.string();
const owner = z.enum(['monolith', 'service']);
/** Counts the changes of owner. */
const epoch = z.number().int().min(0);
const load = z.object({ variable: z.string(), limit: z.number() });

/** Every record of `banyan.control`. Each concerns one domain or one processor, which is its key. */
const CONTROL = {
  EtlRequested: z.object({ domain, run, chunkRows: z.number().int(), maxLoad: load.nullable() }),
  EtlTuned: z.object({
    domain,
    paused: z.boolean().optional(),
    chunkRows: z.number().int().optional(),
    maxLoad: load.nullish(),
  }),
  DomainSeeded: z.object({ domain, run, rows: z.number().int() }),
  DomainParked: z.object({ domain, cause: z.string(), cure: z.string(), position: z.string(), reseed: z.boolean() }),
  ResumeRequested: z.object({ domain, reseed: z.boolean() }),
  /** The domain starts anew: its stores are emptied and it is seeded again. */
  DomainReset: z.object({ domain, run, chunkRows: z.number().int() }),
  DomainResumed: z.object({ domain, changes: z.number().int() }),
  /** Counts only while `revision` is the one its author saw: of two switches at once the second is void. */
  ReadsSwitched: z.object({ domain, percent: z.number().int().min(0).max(100), revision: z.number().int() }),
  ReplayRequested: z.object({ domain, store: z.string() }),
  ReplayFailed: z.object({ domain, store: z.string(), reason: z.string(), differences: z.array(z.unknown()) }),
  StoreFlipped: z.object({ domain, store: z.string(), hash: z.string(), undoUntil: z.string().nullable() }),
  StoreDropped: z.object({ domain, store: z.string() }),
  /** Somebody wants the domain's writes to go elsewhere. Void unless `epoch` is the one that it has. */
  WritesRequested: z.object({ domain, id: z.string(), to: owner, epoch }),
  /** Routers hold the domain's writes from here on. */
  SwitchBegun: z.object({ domain, id: z.string() }),
  /** It has changed nothing. */
  SwitchEnded: z.object({ domain, id: z.string(), reason: z.string() }),
  /** Where the new owner stands in the stream of the database, with the next id of each table. */
  OwnershipChanged: z.object({ domain, owner, epoch, id: z.string(), nextIds: z.record(z.string(), z.string()) }),
  /** The service takes writes: the point of no return. */
  EpochHeld: z.object({ domain, epoch }),
  /** The service will never take writes under it. */
  EpochBurnt: z.object({ domain, epoch }),
  /** The service takes no more writes. */
  EpochClosed: z.object({ domain, epoch, nextIds: z.record(z.string(), z.string()) }),
  /** Where a processor begins: behind these offsets. Of a topic that has begun already it says nothing more. */
  ProcessorBegun: z.object({ processor, ends: z.record(z.string(), z.array(z.number().int())) }),
  /** Dead letters, by the ids of their events, are to go to their handler once more. */
  DeadReplayRequested: z.object({ processor, events: z.array(z.string()) }),
} as const;

/** Every record of `banyan.latest`, with its key. */
const LATEST = {
  EtlProgress: z.object({
    domain,
    run,
    table: z.string(),
    rows: z.number(),
    estimate: z.number(),
    rowsPerSecond: z.number(),
    state: z.enum(['reading', 'paused', 'throttled', 'failed', 'done']),
    reason: z.string().nullable(),
  }),
  ServiceBeat: z.object({
    domain,
    instance: z.string(),
    url: z.string(),
    store: z.string(),
    state: z.enum(['starting', 'live', 'stopped']),
    error: z.object({ code: z.string(), message: z.string(), cure: z.string() }).nullable(),
    /** As of when (ms since the epoch) the store is known to be complete. */
    freshAt: z.number(),
  }),
  ReplayProgress: z.object({ domain, store: z.string(), events: z.number(), total: z.number() }),
  EmitterBeat: z.object({
    instance: z.string(),
    state: z.enum(['live', 'stopped']),
    error: z.object({ code: z.string(), message: z.string(), cure: z.string() }).nullable(),
    position: z.string(),
    beatAt: z.number(),
  }),
  ProcessorBeat: z.object({
    processor,
    instance: z.string(),
    /** Counts the beats that come by the clock, not those that tell of a change. */
    number: z.number().int(),
    /** The partitions that it works on: `orders/0`. */
    holds: z.array(z.string()),
    state: z.enum(['live', 'stopped']),
    error: z.object({ code: z.string(), message: z.string(), cure: z.string() }).nullable(),
  }),
} as const;

type Data<S extends Record<string, z.ZodType>, T extends keyof S> = z.infer<S[T]>;
export type ControlType = keyof typeof CONTROL;
export type LatestType = keyof typeof LATEST;
export type ControlData<T extends ControlType> = Data<typeof CONTROL, T>;
export type LatestData<T extends LatestType> = Data<typeof LATEST, T>;
export type ControlRecord = {
  [T in ControlType]: { type: T; data: ControlData<T>; actor: string; time: string };
}[ControlType];
export type LatestRecord = {
  [T in LatestType]: { type: T; data: LatestData<T>; key: string; time: string };
}[LatestType];

/** A record for `banyan.control`. `actor`: who asks for it or observed it. */
export function controlEvent<T extends ControlType>(type: T, data: ControlData<T>, actor: string): NewEvent {
  const key = 'domain' in data ? data.domain : `processor:${data.processor}`;
  return toEvent(CONTROL_TOPIC, key, type, CONTROL[type].parse(data), actor);
}

/** A record for `banyan.latest`; replaces the last one of the same key. */
export function latestEvent<T extends LatestType>(type: T, key: string, data: LatestData<T>, actor: string): NewEvent {
  return toEvent(LATEST_TOPIC, key, type, LATEST[type].parse(data), actor);
}

function toEvent(topic: string, key: string, type: string, data: unknown, actor: string): NewEvent {
  const time = new Date().toISOString();
  return { topic, key, id: randomUUID(), type, version: 1, time, data: JSON.stringify(data), origin: actor, epoch: 0 };
}

export function readControl(event: LoggedEvent): ControlRecord {
  return { ...parse(CONTROL, event), actor: event.origin, time: event.time } as ControlRecord;
}

export function readLatest(event: LoggedEvent): LatestRecord {
  return { ...parse(LATEST, event), key: event.key, time: event.time } as LatestRecord;
}

function parse(schemas: Record<string, z.ZodType>, event: LoggedEvent): { type: string; data: unknown } {
  const schema = schemas[event.type];
  if (!schema || event.version !== 1) {
    throw logFault('BNY-LOG-CONTROL', {
      found: `${event.type} version ${event.version} at ${event.topic} ${event.offset}`,
    });
  }
  return { type: event.type, data: schema.parse(JSON.parse(event.data)) };
}
