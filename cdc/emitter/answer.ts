import { controlEvent, type DomainControl, type DomainRecord, type NewEvent, RESET_TYPE } from '../../log/index.ts';
import { seedId } from './capture.ts';
import { EMITTER, type EmitterState, type SeedProgress } from './state.ts';

/** What a control record asks of the emitter: the state it leads to and the records that tell of it. Pure. */
export interface Answer {
  state: EmitterState;
  events: NewEvent[];
  seed?: 'start' | 'tune';
}

/** `before` and `after`: the control state without and with the record; the same when the record is void. */
export function requested(
  record: DomainRecord,
  before: DomainControl,
  after: DomainControl,
  state: EmitterState,
): Answer | undefined {
  const { domain } = record.data;
  switch (record.type) {
    case 'EtlRequested':
      if (after === before || !after.etl) return undefined;
      return { state: withSeed(state, domain, newSeed(after.etl)), events: [], seed: 'start' };
    case 'EtlTuned': {
      const seed = state.seeds[domain];
      if (!seed || !after.etl) return undefined;
      const { paused, chunkRows, maxLoad } = after.etl;
      return { state: withSeed(state, domain, { ...seed, paused, chunkRows, maxLoad }), events: [], seed: 'tune' };
    }
    case 'ResumeRequested': {
      const parked = state.parked[domain];
      if (record.data.reseed && (parked || before.seeded)) return reset(state, domain, record.time);
      if (!parked || parked.reseed || parked.drained) return undefined;
      return {
        state: { ...state, parked: { ...state.parked, [domain]: { ...parked, drained: parked.from } } },
        events: [],
      };
    }
    default:
      return undefined;
  }
}

/** Forgets the domain's past: a reset in its topic empties the stores, and a new seed fills them again. */
function reset(state: EmitterState, domain: string, time: string): Answer {
  const { [domain]: _, ...parked } = state.parked;
  const run = `reseed-${time}`;
  const etl = { run, chunkRows: 1000, maxLoad: null, paused: false };
  const marker: NewEvent = {
    topic: domain,
    key: '',
    id: seedId(run, RESET_TYPE, [], 0),
    type: RESET_TYPE,
    version: 1,
    time,
    data: JSON.stringify({ run }),
    origin: EMITTER,
    epoch: 0,
    position: state.position,
  };
  return {
    state: withSeed({ ...state, parked }, domain, newSeed(etl)),
    events: [marker, controlEvent('DomainReset', { domain, run, chunkRows: etl.chunkRows }, EMITTER)],
    seed: 'start',
  };
}

function newSeed({ run, chunkRows, maxLoad, paused }: Omit<SeedProgress, 'tables'>): SeedProgress {
  return { run, chunkRows, maxLoad, paused, tables: {} };
}

function withSeed(state: EmitterState, domain: string, seed: SeedProgress): EmitterState {
  return { ...state, seeds: { ...state.seeds, [domain]: seed } };
}
