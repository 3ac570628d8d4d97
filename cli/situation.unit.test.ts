import { describe, expect, it } from '@jest/globals';
import {
  type ControlData,
  type ControlFold,
  controlEvent,
  type LatestData,
  latestEvent,
  openMemoryLog,
  readControlState,
  topicsFor,
} from '../log/index.ts';
import type { Domain } from '../services/kit/index.ts';
import { replayGuards } from './replay.ts';
import { domainOf, emitterOf, readsStep, serviceOf } from './situation.ts';
import { incurables } from './status.ts';

const SETTINGS = {
  emitter: { heartbeatMs: 1000 },
  services: { host: '127.0.0.1', ports: {}, firstPort: 4101, maxLagMs: 10_000, undoMs: 3_600_000 },
  domains: [{ name: 'orders' } as Domain],
};
const ERROR = {
  code: 'BNY-SERVICE-PROJECTION',
  message: 'BNY-SERVICE-PROJECTION: a row\nwould not fit',
  cure: 'Correct it.',
};

class World {
  readonly log = openMemoryLog(topicsFor({ orders: {} }));

  emitter(data: Partial<LatestData<'EmitterBeat'>> = {}, agoMs = 0): Promise<void> {
    const beat = {
      instance: 'e',
      state: 'live' as const,
      error: null,
      position: 'p',
      beatAt: Date.now(),
      ...data,
    };
    return this.#tell(latestEvent('EmitterBeat', 'emitter', beat, 'e'), agoMs);
  }

  service(data: Partial<LatestData<'ServiceBeat'>> = {}, agoMs = 0): Promise<void> {
    const beat = { domain: 'orders', instance: 's', url: 'http://s', store: '1' };
    const state = { state: 'live' as const, error: null, freshAt: Date.now() };
    return this.#tell(latestEvent('ServiceBeat', 'service:orders', { ...beat, ...state, ...data }, 's'), agoMs);
  }

  control<T extends Parameters<typeof controlEvent>[0]>(type: T, data: ControlData<T>): Promise<void> {
    return this.log.post([controlEvent(type, data, 'anna')]);
  }

  async seeded(): Promise<this> {
    await this.control('DomainSeeded', { domain: 'orders', run: 'one', rows: 5 });
    await this.emitter();
    await this.service();
    return this;
  }

  park(): Promise<void> {
    const why = { cause: 'a column is gone', cure: 'banyan resume orders', position: 'p', reseed: false };
    return this.control('DomainParked', { domain: 'orders', ...why });
  }

  fold(): Promise<ControlFold> {
    return readControlState(this.log);
  }

  #tell(event: ReturnType<typeof latestEvent>, agoMs: number): Promise<void> {
    return this.log.post([{ ...event, time: new Date(Date.now() - agoMs).toISOString() }]);
  }
}

const orders = (fold: ControlFold) => domainOf(fold, 'orders', SETTINGS);
const emitter = (fold: ControlFold) => emitterOf(fold, SETTINGS);

describe('the emitter, as it is told of', () => {
  it('is live while its beats come', async () => {
    const world = await new World().seeded();
    expect(emitter(await world.fold())).toMatchObject({ state: 'live', problem: null });
    expect(orders(await world.fold())).toMatchObject({ problem: null, caughtUp: true });
  });

  it('is not live when it has been silent for several heartbeats, though its store of news is young enough', async () => {
    const world = await new World().seeded();
    await world.emitter({ beatAt: Date.now() - 7000 }, 7000);
    expect(emitter(await world.fold())).toMatchObject({
      state: 'silent',
      problem: expect.stringMatching(/no sign of life for 7/),
    });
    expect(orders(await world.fold())).toMatchObject({
      problem: expect.stringContaining('emitter'),
      next: 'banyan up, or banyan emit',
    });
  });

  it('may beat as slowly as it is told to', async () => {
    const world = await new World().seeded();
    await world.emitter({ beatAt: Date.now() - 7000 }, 7000);
    expect(emitterOf(await world.fold(), { ...SETTINGS, emitter: { heartbeatMs: 3000 } })).toMatchObject({
      state: 'live',
    });
  });

  it('is not live once it has signed off, however young that is', async () => {
    const world = await new World().seeded();
    await world.emitter({ state: 'stopped' });
    expect(emitter(await world.fold())).toMatchObject({ state: 'stopped', hopeless: false });
    expect(orders(await world.fold()).problem).toContain('signed off');
  });

  it('is behind while it works off what it has missed', async () => {
    const world = await new World().seeded();
    await world.emitter({ beatAt: Date.now() - 60_000 });
    expect(emitter(await world.fold())).toMatchObject({ state: 'behind', problem: expect.stringContaining('60') });
  });
});

describe('a domain, as it is told of', () => {
  it('shows why its service has stopped, also while it is parked', async () => {
    const world = await new World().seeded();
    await world.park();
    await world.service({ state: 'stopped', error: ERROR });
    const { problem, next } = orders(await world.fold());
    expect(problem).toContain('parked: a column is gone');
    expect(problem).toContain('would not fit');
    expect(next).toBe('banyan resume orders');
  });

  it('goes on with its reads from where they are, never back', () => {
    expect([0, 10, 50, 100].map((percent) => readsStep('orders', percent))).toEqual([
      'banyan switch orders reads --percent 10',
      'banyan switch orders reads',
      'banyan switch orders reads',
      '',
    ]);
  });
});

describe('what waiting cannot cure', () => {
  const told = async (world: World, since = Date.now() - 1000) =>
    incurables(await world.fold(), SETTINGS, since).map(({ guard }) => guard);

  it('is nothing while things only take their time', async () => {
    expect(await told(new World())).toEqual([]);
    expect(await told(await new World().seeded())).toEqual([]);
  });

  it('is a parked domain, a stopped projector and a stopped emitter, all named at once', async () => {
    const world = await new World().seeded();
    await world.park();
    await world.service({ state: 'stopped', error: ERROR });
    await world.emitter({
      state: 'stopped',
      error: { code: 'BNY-CDC-PURGED', message: 'purged', cure: 'Seed again.' },
    });
    expect(await told(world)).toEqual(['emitter not stopped', 'orders not parked', 'orders not stopped']);
  });

  it('is no error that passes by itself', async () => {
    const world = await new World().seeded();
    await world.service({ state: 'stopped', error: { code: 'BNY-LOG-BUSY', message: 'busy', cure: '' } });
    expect(await told(world)).toEqual([]);
  });

  it('is nothing that was said before the wait by who may just be starting again', async () => {
    const world = await new World().seeded();
    await world.service({ state: 'stopped', error: ERROR }, 3000);
    await world.emitter({ state: 'stopped', error: { code: 'BNY-CDC-PURGED', message: 'purged', cure: '' } }, 60_000);
    expect(await told(world)).toEqual([]);
    expect(await told(world, Date.now() - 6000)).toEqual(['emitter not stopped', 'orders not stopped']);
  });
});

describe('a replay', () => {
  const refusing = async (world: World) =>
    replayGuards(await world.fold(), 'orders').flatMap(({ ok, guard }) => (ok ? [] : [guard]));

  it('is allowed when everything runs, also when a projector only waits for a lock', async () => {
    const world = await new World().seeded();
    expect(await refusing(world)).toEqual([]);
    await world.service({ state: 'stopped', error: { code: 'BNY-LOG-BUSY', message: 'busy', cure: '' } });
    expect(await refusing(world)).toEqual([]);
  });

  it('is refused while the domain is parked or its projector has stopped, with its error and cure', async () => {
    const world = await new World().seeded();
    await world.park();
    await world.service({ state: 'stopped', error: ERROR });
    expect(await refusing(world)).toEqual(['not parked', 'projector not stopped']);
    expect(serviceOf(await world.fold(), 'orders')).toMatchObject({ stopped: ERROR.code, cure: 'Correct it.' });
  });
});
