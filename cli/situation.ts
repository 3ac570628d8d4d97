import type { ControlFold, EventLog, LatestData, LatestRecord } from '../log/index.ts';
import type { Processor } from '../services/kit/index.ts';
import { standOf } from '../services/kit/processor/progress.ts';
import type { Context } from './command.ts';
import type { Config } from './config/schema.ts';
import { CATALOGUE } from './errors.ts';
import { beatsOf, STALE_BEAT_MS } from './guards.ts';

/** What the log says of the running parts, as everybody is told of it. Pure but for the clock. */
export type Settings = Pick<Config, 'emitter'> & { services: Pick<Config['services'], 'maxLagMs'> };

export interface EmitterSituation {
  instance: string | null;
  position: string | null;
  /** How old the newest state of the monolith is that it has captured. */
  ageSeconds: number | null;
  /** `stopped`: it has signed off. `silent`: it was killed, or cut off, or never started. */
  state: 'live' | 'behind' | 'silent' | 'stopped';
  problem: string | null;
  cure: string;
  /** The error at which it stopped cannot pass by itself. */
  hopeless: boolean;
  /** When it last said anything. */
  toldAt: number;
}

const START = 'banyan up, or banyan emit';
/** An emitter misses a heartbeat while it is busy; not several. */
const MISSED_BEATS = 5;

export function emitterOf(fold: ControlFold, settings: Settings): EmitterSituation {
  const record = fold.latest.get('emitter');
  if (record?.type !== 'EmitterBeat') {
    const nothing = { instance: null, position: null, ageSeconds: null, hopeless: false, toldAt: 0 };
    return { ...nothing, state: 'silent', problem: 'no sign of life', cure: START };
  }
  const { data } = record;
  const { instance, position, beatAt, error } = data;
  return {
    instance,
    position,
    ageSeconds: beatAt === 0 ? null : tenths(Date.now() - beatAt),
    toldAt: Date.parse(record.time),
    hopeless: error !== null && !passes(error),
    ...stateOf(record, settings),
  };
}

type EmitterBeat = Extract<LatestRecord, { type: 'EmitterBeat' }>;

function stateOf({ data, time }: EmitterBeat, { emitter, services }: Settings) {
  const { state, error, beatAt } = data;
  if (error) return { state: 'stopped' as const, problem: `stopped: ${error.message}`, cure: error.cure };
  if (state === 'stopped') return { state, problem: 'stopped: it was ended and has signed off', cure: START };
  const silentMs = Date.now() - Date.parse(time);
  if (silentMs > Math.max(STALE_BEAT_MS, MISSED_BEATS * emitter.heartbeatMs)) {
    return { state: 'silent' as const, problem: `no sign of life for ${tenths(silentMs)} s`, cure: START };
  }
  const behindMs = Date.now() - beatAt;
  if (behindMs <= services.maxLagMs) return { state, problem: null, cure: '' };
  const problem = `live, but ${tenths(behindMs)} s behind the monolith`;
  return { state: 'behind' as const, problem, cure: 'banyan status --wait' };
}

/** A request to the emitter has to wait when nobody is there to take it. */
export function noteSilence({ config, note }: Pick<Context, 'config' | 'note'>, fold: ControlFold): void {
  const { state, problem, cure } = emitterOf(fold, config);
  if (state !== 'silent' && state !== 'stopped') return;
  note(`The emitter does not run (${problem}): the request stands in the log and waits for it. Cure: ${cure}`);
}

export interface ServiceSituation {
  problem: string | null;
  cure: string;
  /** The code of the error at which its projector has stopped. */
  stopped: string | null;
  hopeless: boolean;
  /** When it last said anything. */
  toldAt: number;
}

/** The service of a domain: of several instances the one whose store is youngest. */
export function serviceOf(fold: ControlFold, domain: string): ServiceSituation {
  const [beat] = beatsOf(fold, domain);
  const start = {
    cure: `banyan up, or banyan serve ${domain}`,
    stopped: null,
    hopeless: false,
    toldAt: beat?.toldAt ?? 0,
  };
  if (!beat) return { ...start, problem: 'no sign of life from the service' };
  const { error, toldAt } = beat;
  if (!error) return { ...start, problem: null };
  const problem = `service stopped: ${error.message}`;
  return { problem, cure: error.cure, stopped: error.code, hopeless: !passes(error), toldAt };
}

/** Whether whoever met the error goes on by itself. */
function passes({ code }: NonNullable<LatestData<'ServiceBeat'>['error']>): boolean {
  return CATALOGUE[code]?.retryable ?? false;
}

export interface DomainStatus {
  domain: string;
  owner: 'monolith';
  reads: number;
  /** Name of the live store. */
  store: string;
  seeded: string;
  lagSeconds: number | null;
  caughtUp: boolean;
  /** Everything that is wrong, whole; `null` when nothing is. */
  problem: string | null;
  next: string;
}

export function domainOf(fold: ControlFold, name: string, settings: Settings): DomainStatus {
  const { seeded, etl, parked, reads, store } = fold.of(name);
  const [beat] = beatsOf(fold, name);
  const lagMs = beat && beat.freshAt > 0 ? Math.max(0, Date.now() - beat.freshAt) : null;
  const service = serviceOf(fold, name);
  const emitter = emitterOf(fold, settings);
  const problems = [
    ...(parked ? [`parked: ${parked.cause}`] : []),
    ...(service.problem ? [service.problem] : []),
    ...(emitter.problem ? [`emitter: ${emitter.problem}`] : []),
  ];
  const progress = fold.latest.get(`etl:${name}`);
  const step = seeded ? readsStep(name, reads.percent) : `banyan etl ${name}`;
  return {
    domain: name,
    owner: 'monolith',
    reads: reads.percent,
    store: store.live,
    seeded: seeded ? 'yes' : etl ? share(progress?.type === 'EtlProgress' ? progress.data : undefined) : 'no',
    lagSeconds: lagMs === null ? null : tenths(lagMs),
    caughtUp: seeded !== undefined && lagMs !== null && lagMs <= settings.services.maxLagMs,
    problem: problems.join('; ') || null,
    next: parked?.cure ?? (service.problem ? service.cure : emitter.problem ? emitter.cure : step),
  };
}

export interface ProcessorStatus {
  processor: string;
  /** How many run. */
  instances: number;
  /** Events behind the end of the log; `null`: it has never run. */
  lag: number | null;
  /** Dead letters that lie open. */
  dead: number;
  problem: string | null;
  next: string;
}

type ProcessorBeat = LatestData<'ProcessorBeat'>;

/** The newest sign of life of each instance of a processor that runs. */
export function instancesOf(fold: ControlFold, processor: string): ProcessorBeat[] {
  return [...fold.latest.values()].flatMap((record) =>
    record.type === 'ProcessorBeat' &&
    record.data.processor === processor &&
    record.data.state === 'live' &&
    Date.now() - Date.parse(record.time) < STALE_BEAT_MS
      ? [record.data]
      : [],
  );
}

export async function processorOf(fold: ControlFold, log: EventLog, processor: Processor): Promise<ProcessorStatus> {
  const { name } = processor;
  const instances = instancesOf(fold, name);
  const error = instances.map((beat) => beat.error).find((each) => each !== null);
  const { lag, dead } = await standOf(log, processor);
  const runs = instances.length > 0;
  const problem = error ? `does not get on: ${error.message}` : runs ? null : 'no sign of life';
  const cure = error ? error.cure : `banyan up, or banyan process ${name}`;
  const next = problem ? cure : dead > 0 ? `banyan dead list ${name}` : '';
  return { processor: name, instances: instances.length, lag, dead, problem, next };
}

/** How a domain's reads go on from where they are; never back. */
export function readsStep(domain: string, percent: number): string {
  if (percent === 0) return `banyan switch ${domain} reads --percent 10`;
  return percent < 100 ? `banyan switch ${domain} reads` : '';
}

function share(progress: LatestData<'EtlProgress'> | undefined): string {
  if (!progress) return 'starting';
  const percent = progress.estimate > 0 ? Math.min(99, Math.floor((progress.rows / progress.estimate) * 100)) : 0;
  return progress.state === 'reading' ? `~${percent} %` : `~${percent} %, ${progress.state}: ${progress.reason}`;
}

function tenths(ms: number): number {
  return Math.round(ms / 100) / 10;
}
