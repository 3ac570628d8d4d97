import { applyOwnership, FIRST_OWNERSHIP, isOfOwnership, type Ownership } from './ownership.ts';
import { applyProcessor, type DomainRecord, isOfProcessor, type ProcessorControl } from './processors.ts';
import type { ControlData, ControlRecord, LatestRecord } from './records.ts';

/** What the control topic says of one domain. */
export interface DomainControl {
  seeded: { run: string; rows: number; at: string } | undefined;
  etl: { run: string; chunkRows: number; maxLoad: ControlData<'EtlRequested'>['maxLoad']; paused: boolean } | undefined;
  parked: { cause: string; cure: string; position: string; reseed: boolean; since: string } | undefined;
  reads: { percent: number; revision: number };
  /** Who accepts its writes. */
  ownership: Ownership;
  store: {
    live: string;
    previous: string | undefined;
    undoUntil: string | undefined;
    replaying: string | undefined;
    /** Stores are numbered, and no number is given twice: a service could not tell the one from the other. */
    newest: number;
  };
  lastReplay:
    | { store: string; failed: ControlData<'ReplayFailed'> | undefined; hash: string | undefined; at: string }
    | undefined;
}

export const FIRST_STORE = '1';

export function initialControl(): DomainControl {
  return {
    seeded: undefined,
    etl: undefined,
    parked: undefined,
    reads: { percent: 0, revision: 0 },
    ownership: FIRST_OWNERSHIP,
    store: {
      live: FIRST_STORE,
      previous: undefined,
      undoUntil: undefined,
      replaying: undefined,
      newest: Number(FIRST_STORE),
    },
    lastReplay: undefined,
  };
}

/** Pure; a record that is void (an outdated switch, a second request) leaves the state as it was. */
export function applyControl(domain: DomainControl, record: DomainRecord): DomainControl {
  if (isOfOwnership(record)) return { ...domain, ownership: applyOwnership(domain.ownership, record) };
  const { data, type, time } = record;
  switch (type) {
    case 'EtlRequested':
      if (domain.etl || domain.seeded || domain.parked) return domain;
      return { ...domain, etl: { run: data.run, chunkRows: data.chunkRows, maxLoad: data.maxLoad, paused: false } };
    case 'EtlTuned':
      return domain.etl ? { ...domain, etl: tuned(domain.etl, data) } : domain;
    case 'DomainSeeded':
      return { ...domain, etl: undefined, seeded: { run: data.run, rows: data.rows, at: time } };
    case 'DomainParked':
      return {
        ...domain,
        parked: { cause: data.cause, cure: data.cure, position: data.position, reseed: data.reseed, since: time },
      };
    case 'ResumeRequested':
      return domain;
    case 'DomainReset':
      return {
        ...domain,
        parked: undefined,
        seeded: undefined,
        etl: { run: data.run, chunkRows: data.chunkRows, maxLoad: null, paused: false },
      };
    case 'DomainResumed':
      return { ...domain, parked: undefined };
    case 'ReadsSwitched':
      if (data.revision !== domain.reads.revision) return domain;
      return { ...domain, reads: { percent: data.percent, revision: data.revision + 1 } };
    default:
      return { ...domain, ...applyReplay(domain, record) };
  }
}

function tuned(etl: NonNullable<DomainControl['etl']>, { paused, chunkRows, maxLoad }: ControlData<'EtlTuned'>) {
  return {
    ...etl,
    paused: paused ?? etl.paused,
    chunkRows: chunkRows ?? etl.chunkRows,
    maxLoad: maxLoad === undefined ? etl.maxLoad : maxLoad,
  };
}

function applyReplay(domain: DomainControl, { type, data, time }: DomainRecord): Partial<DomainControl> {
  const { store } = domain;
  switch (type) {
    case 'ReplayRequested':
      if (store.replaying || data.store === store.live || data.store === store.previous) return {};
      return { store: { ...store, replaying: data.store, newest: Math.max(store.newest, Number(data.store)) } };
    case 'ReplayFailed':
      if (data.store !== store.replaying) return {};
      return {
        store: { ...store, replaying: undefined },
        lastReplay: { store: data.store, failed: data, hash: undefined, at: time },
      };
    case 'StoreFlipped':
      // Void when its author saw another state: a flip to a store that nobody keeps up.
      if (data.store !== store.replaying && data.store !== store.previous) return {};
      return {
        store: {
          ...store,
          live: data.store,
          previous: store.live,
          undoUntil: data.undoUntil ?? undefined,
          // An undo does not end a replay that is under way.
          replaying: data.store === store.replaying ? undefined : store.replaying,
        },
        lastReplay: { store: data.store, failed: undefined, hash: data.hash, at: time },
      };
    case 'StoreDropped':
      return store.previous === data.store ? { store: { ...store, previous: undefined, undoUntil: undefined } } : {};
    default:
      return {};
  }
}

/** The fold of `banyan.control`, and the newest of `banyan.latest`: every process that decides anything decides by this. */
export class ControlFold {
  readonly domains = new Map<string, DomainControl>();
  /** Key → newest record of `banyan.latest`. */
  readonly latest = new Map<string, LatestRecord>();

  readonly #processors = new Map<string, ProcessorControl>();

  apply(record: ControlRecord): void {
    if (isOfProcessor(record)) {
      const { processor } = record.data;
      this.#processors.set(processor, applyProcessor(this.processor(processor), record));
      return;
    }
    const { domain } = record.data;
    this.domains.set(domain, applyControl(this.of(domain), record));
  }

  of(domain: string): DomainControl {
    return this.domains.get(domain) ?? initialControl();
  }

  processor(name: string): ProcessorControl {
    return this.#processors.get(name) ?? { begun: {}, replays: [] };
  }
}
