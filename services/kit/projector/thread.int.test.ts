import { describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { CONTROL_TOPIC, controlEvent, type EventLog, type LatestData } from '../../../log/index.ts';
import { sqliteFault } from '../../../log/sqlite/errors.ts';
import { serviceFault } from '../errors.ts';
import { peek } from '../store/sqlite/store.ts';
import { Bed, event, faulty, NOTES, note, notes, until } from './test-support.ts';
import { runProjectorThread, type ThreadOptions, type ThreadTask } from './thread.ts';

const URL = 'http://127.0.0.1:4101';

/** A thread that runs until the bed is put away, or stopped. */
function thread(bed: Bed, task: ThreadTask, options: Partial<ThreadOptions> = {}) {
  const stop = new AbortController();
  const errors: unknown[] = [];
  const told = { ready: 0, errors };
  const running = runProjectorThread(
    {
      log: bed.log,
      domain: NOTES,
      task,
      stores: bed.stores,
      instance: 'test',
      url: URL,
      isLive: () => true,
      logger: pino({ level: 'silent' }),
      onReady: () => told.ready++,
      onStopped: (error) => errors.push(error),
      ...options,
    },
    AbortSignal.any([bed.signal, stop.signal]),
  );
  return { told, stop, running: bed.keep(running) };
}

async function beatOf(bed: Bed): Promise<LatestData<'ServiceBeat'> | undefined> {
  return (await bed.latest('ServiceBeat'))[0] as LatestData<'ServiceBeat'> | undefined;
}

const beats = (bed: Bed, state: string) => until(async () => (await beatOf(bed))?.state === state);

/** A log that cannot be read while `fault` gives an error. */
function unreadable(log: EventLog, fault: () => unknown): EventLog {
  return faulty(log, {
    read(from, options) {
      const error = fault();
      if (error) throw error;
      return log.read(from, options);
    },
  });
}

/** A log that tells when a projector begins to read it. */
function counting(log: EventLog, onRead: () => void): EventLog {
  return faulty(log, {
    read(from, options) {
      if ('notes' in from) onRead();
      return log.read(from, options);
    },
  });
}

describe('a projector thread', () => {
  it('says that it lives, and as of when its store is complete', async () => {
    await using bed = await Bed.make();
    await bed.append('1', [note(1)], { freshAt: 7 });
    thread(bed, { store: '1' });
    await until(async () => (await beatOf(bed))?.freshAt === 7);
    const common = { domain: 'notes', instance: 'test', url: URL, store: '1', error: null };
    expect(await beatOf(bed)).toEqual({ ...common, state: 'live', freshAt: 7 });
  });

  it('lets one project into a store at a time; the other reads it, and takes over when the first has ended', async () => {
    await using bed = await Bed.make();
    await bed.append('1', [note(1)]);
    const first = thread(bed, { store: '1' });
    await until(() => first.told.ready === 1 && bed.notesIn('1').length === 1);
    let reads = 0;
    const second = thread(bed, { store: '1' }, { log: counting(bed.log, () => reads++) });
    await until(() => second.told.ready > 1);
    expect({ reads, errors: [...first.told.errors, ...second.told.errors] }).toEqual({ reads: 0, errors: [] });
    first.stop.abort();
    await first.running;
    await bed.append('2', [note(2)]);
    await until(() => bed.notesIn('1').length === 2);
    expect(reads).toBe(1);
  });

  it('reads a store that another projects into without writing there, whether or not it can say so', async () => {
    await using bed = await Bed.make();
    await bed.append('1', [note(1)]);
    const first = thread(bed, { store: '1' }, { isLive: () => false });
    await until(() => first.told.ready === 1 && bed.notesIn('1').length === 1);
    await until(async () => peek(bed.file('1'))?.position === '1');
    bed.hold('1');
    let tries = 0;
    const mute = faulty(bed.log, {
      async post() {
        tries++;
        throw sqliteFault('BNY-LOG-BUSY');
      },
    });
    const { told } = thread(bed, { store: '1' }, { log: mute });
    await until(() => tries > 1);
    expect(told).toEqual({ ready: 2, errors: [] });
  });

  it('says nothing while its store is not the live one', async () => {
    await using bed = await Bed.make();
    let live = false;
    await bed.append('1', notes(1, 2));
    const { told } = thread(bed, { store: '1' }, { isLive: () => live });
    await until(() => told.ready === 1 && bed.notesIn('1').length === 2);
    expect(await beatOf(bed)).toBeUndefined();
    live = true;
    await beats(bed, 'live');
  });

  it.each([
    ['the log', 'BNY-LOG-BUSY', sqliteFault('BNY-LOG-BUSY')],
    [
      'the store',
      'BNY-SERVICE-STORE-BLOCKED',
      Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY_SNAPSHOT' }),
    ],
    ['the disk', 'BNY-SERVICE-STORE-BLOCKED', Object.assign(new Error('database is full'), { code: 'SQLITE_FULL' })],
  ])('tries again while %s is busy, saying so meanwhile', async (_, code, busy) => {
    await using bed = await Bed.make();
    let fault: unknown;
    await bed.append('1', [note(1)]);
    const { told } = thread(bed, { store: '1' }, { log: unreadable(bed.log, () => fault) });
    fault = busy;
    await beats(bed, 'stopped');
    expect(await beatOf(bed)).toMatchObject({
      state: 'stopped',
      error: { code, message: expect.stringContaining(busy.message) },
    });
    await until(() => told.errors.length > 1);
    expect(bed.notesIn('1')).toEqual([]);
    fault = undefined;
    await until(() => bed.notesIn('1').length === 1);
    await beats(bed, 'live');
    expect((await beatOf(bed))?.error).toBeNull();
  });

  it('tells a lasting error once, stays to say so, and reads no more', async () => {
    await using bed = await Bed.make();
    let reads = 0;
    const counted = unreadable(bed.log, () => void reads++);
    await bed.append('1', [event('notes', 'NoteLost', {})]);
    const { told, stop, running } = thread(bed, { store: '1' }, { log: counted });
    await beats(bed, 'stopped');
    const { code, cure } = { code: 'BNY-SERVICE-UNKNOWN-EVENT', cure: expect.stringContaining('Deploy the version') };
    expect((await beatOf(bed))?.error).toEqual({ code, message: expect.stringContaining('notes offset 0'), cure });
    await severalBeats(bed);
    expect({ reads, ...told }).toMatchObject({ reads: 1, ready: 1, errors: [{ code }] });
    stop.abort();
    await running;
  });

  it('stops writing when it loses the right to, and goes on when it has that again', async () => {
    await using bed = await Bed.make();
    const lost = new AbortController();
    const again = Promise.withResolvers<void>();
    let leases = 0;
    const stores = faulty(bed.stores, {
      async lease(name) {
        if (++leases > 1) await again.promise;
        const lease = await bed.stores.lease(name);
        return leases > 1 ? lease : lease && { ...lease, lost: lost.signal };
      },
    });
    await bed.append('1', [note(1)]);
    const { told } = thread(bed, { store: '1' }, { stores });
    await until(() => told.ready === 1 && bed.notesIn('1').length === 1);
    lost.abort();
    await until(() => leases === 2);
    await bed.append('2', [note(2)]);
    expect(bed.notesIn('1')).toEqual([1]);
    again.resolve();
    await until(() => bed.notesIn('1').length === 2);
  });

  it('says that it cannot ask for the right to write, and asks again', async () => {
    await using bed = await Bed.make();
    let fault: Error | undefined = serviceFault('BNY-SERVICE-STORE-BLOCKED');
    const stores = faulty(bed.stores, {
      async lease(name) {
        if (fault) throw fault;
        return bed.stores.lease(name);
      },
    });
    await bed.append('1', [note(1)]);
    const { told } = thread(bed, { store: '1' }, { stores });
    await beats(bed, 'stopped');
    await until(() => told.errors.length > 1);
    fault = undefined;
    await beats(bed, 'live');
  });

  it('ends when it is stopped, also by an error that comes while it is being stopped', async () => {
    await using bed = await Bed.make();
    const closing = unreadable(bed.log, () => {
      stop.abort();
      return new Error('closed');
    });
    const { stop, running } = thread(bed, { store: '1' }, { log: closing });
    expect(await endsInTime(running)).toBe(true);
  });
});

/** As long as a thread that spins would need to show it. */
async function severalBeats(bed: Bed): Promise<void> {
  const at = async () => (await bed.log.ends(['banyan.latest']))['banyan.latest']?.[0] ?? -1;
  const start = await at();
  await until(async () => (await at()) >= start + 3);
}

async function endsInTime(running: Promise<void>): Promise<boolean> {
  let ended = false;
  void running.then(() => (ended = true));
  return until(() => ended).then(
    () => true,
    () => false,
  );
}

const REPLAY: ThreadTask = { replay: '2', live: '1', undoMs: 60_000 };

/** A bed whose store `2` is asked for. */
async function bedForReplay(): Promise<Bed> {
  const bed = await Bed.make();
  await bed.append('1', notes(1, 3));
  await bed.catchUp(bed.open('1'));
  await bed.log.post([controlEvent('ReplayRequested', { domain: 'notes', store: '2' }, 'test')]);
  return bed;
}

const storeOf = async (bed: Bed) => (await bed.control()).of('notes').store;
const lastReplay = async (bed: Bed) => (await bed.control()).of('notes').lastReplay;

describe('a replay in a projector thread', () => {
  it('flips to the equal store with its hash, and keeps it up from then on', async () => {
    await using bed = await bedForReplay();
    thread(bed, REPLAY);
    await until(async () => (await storeOf(bed)).live === '2');
    expect(await storeOf(bed)).toMatchObject({ previous: '1', replaying: undefined });
    expect(Date.parse((await storeOf(bed)).undoUntil ?? '')).toBeGreaterThan(Date.now());
    expect((await lastReplay(bed))?.hash).toBe(await bed.open('1').hash());
    await bed.append('2', [note(4)]);
    await until(() => bed.notesIn('2').length === 4);
    expect(bed.notesIn('1')).toEqual([1, 2, 3]);
  });

  it('flips to a store that has what was appended since the comparison', async () => {
    await using bed = await bedForReplay();
    let seen: unknown[] = [];
    const watched = faulty(bed.log, {
      async post(events) {
        if (events.some(({ type }) => type === 'StoreFlipped')) seen = bed.notesIn('2');
        return bed.log.post(events);
      },
    });
    await bed.append('2', [note(4)]);
    thread(bed, REPLAY, { log: watched });
    await until(async () => (await storeOf(bed)).live === '2');
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it('tells what differs instead of flipping, and waits to be stopped', async () => {
    await using bed = await bedForReplay();
    bed.sql('1', 'DELETE FROM notes WHERE id = 2');
    const { stop, running, told } = thread(bed, REPLAY);
    const ended = endsBefore(running, async () => (await lastReplay(bed)) !== undefined);
    expect(await ended).toBe(false);
    expect(await storeOf(bed)).toMatchObject({ live: '1', previous: undefined, replaying: undefined });
    const differences = [{ table: 'notes', key: [2], kind: 'extra', columns: [] }];
    expect((await lastReplay(bed))?.failed).toMatchObject({ reason: expect.stringContaining('differs'), differences });
    expect(told.ready).toBe(0);
    stop.abort();
    await running;
  });

  it('is done by one instance; the other reads the store from the flip on', async () => {
    await using bed = await bedForReplay();
    let reads = 0;
    const counted = counting(bed.log, () => reads++);
    const live = async () => (await storeOf(bed)).live === '2';
    const first = thread(bed, REPLAY, { log: counted });
    let flipped = false;
    const second = thread(bed, REPLAY, { log: counted, isLive: () => flipped });
    await until(live);
    flipped = true;
    await until(() => first.told.ready > 0 && second.told.ready > 1 && reads >= 3);
    // Rebuild, catch-up and projection of one.
    expect({ reads, errors: [...first.told.errors, ...second.told.errors] }).toEqual({ reads: 3, errors: [] });
    first.stop.abort();
    await first.running;
    await bed.append('2', [note(4)]);
    await until(() => bed.notesIn('2').length === 4);
    // It goes on with the store, and does not build it once more.
    expect(reads).toBe(4);
  });

  it('tells why it failed', async () => {
    await using bed = await bedForReplay();
    thread(bed, REPLAY, { log: unreadable(bed.log, () => new Error('broken')) });
    await until(async () => (await lastReplay(bed)) !== undefined);
    expect((await lastReplay(bed))?.failed).toMatchObject({ store: '2', reason: 'Error: broken', differences: [] });
    expect((await storeOf(bed)).live).toBe('1');
  });

  it('says nothing when it is stopped, and the next one flips', async () => {
    await using bed = await bedForReplay();
    const before = await bed.log.ends([CONTROL_TOPIC]);
    const stopping = unreadable(bed.log, () => void stop.abort());
    const { stop, running } = thread(bed, REPLAY, { log: stopping });
    await running;
    expect(await bed.log.ends([CONTROL_TOPIC])).toEqual(before);
    expect((await storeOf(bed)).replaying).toBe('2');
    thread(bed, REPLAY);
    await until(async () => (await storeOf(bed)).live === '2');
  });
});

/** Whether `running` has ended when `holds` comes true. */
async function endsBefore(running: Promise<void>, holds: () => Promise<boolean>): Promise<boolean> {
  let ended = false;
  void running.then(() => (ended = true));
  await until(holds);
  return ended;
}
