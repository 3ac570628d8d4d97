import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { controlEvent, type EventLog } from '../../log/index.ts';
import { Bed, event, faulty, freePort, NOTES, note, notes, until } from './projector/test-support.ts';
import { runProjectorThread, type ThreadTask } from './projector/thread.ts';
import { type ProjectorThread, runService, type ThreadEvents } from './service.ts';

/** Projectors in this thread, told of as by messages between threads: later. */
class Threads {
  readonly tasks: ThreadTask[] = [];
  readonly told: ThreadEvents[] = [];
  readonly running = new Set<string>();
  readonly #bed: Bed;
  readonly #log: EventLog;

  constructor(bed: Bed, log: EventLog = bed.log) {
    this.#bed = bed;
    this.#log = log;
  }

  start(task: ThreadTask, told: ThreadEvents, url: string): ProjectorThread {
    this.tasks.push(task);
    this.told.push(told);
    const name = 'replay' in task ? task.replay : task.store;
    this.running.add(name);
    const stop = new AbortController();
    let live = false;
    const later = (tell: () => void) => void setTimeout(tell, MESSAGE_MS);
    const running = runProjectorThread(
      {
        log: this.#log,
        domain: NOTES,
        task,
        stores: this.#bed.stores,
        instance: 'test',
        url,
        isLive: () => live,
        logger: SILENT,
        onReady: () => later(() => told.ready()),
        onStopped: (error) => later(() => told.stopped(String(error))),
      },
      AbortSignal.any([this.#bed.signal, stop.signal]),
    );
    const ended = running.then(() => this.running.delete(name));
    void ended.then(() => stop.signal.aborted || told.died(new Error('the thread has ended')), told.died);
    return {
      setLive: (now) => {
        live = now;
      },
      async stop() {
        stop.abort();
        await ended.catch(() => undefined);
      },
    };
  }
}

const MESSAGE_MS = 20;
const SILENT = pino({ level: 'silent' });

interface Answer {
  status: number;
  behind: string | null;
  body: unknown;
}

async function serve(bed: Bed, { undoMs = 60_000, log = bed.log }: { undoMs?: number; log?: EventLog } = {}) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const threads = new Threads(bed, log);
  const stop = new AbortController();
  const running = runService(
    {
      log: bed.log,
      domain: NOTES,
      host: '127.0.0.1',
      port,
      secret: 'only for this test',
      maxLagMs: 60_000,
      undoMs,
      stores: bed.stores,
      startThread: (task, told) => threads.start(task, told, url),
      logger: SILENT,
    },
    AbortSignal.any([bed.signal, stop.signal]),
  );
  const get = async (path: string): Promise<Answer> => {
    const response = await fetch(url + path);
    return { status: response.status, behind: response.headers.get('banyan-behind'), body: await response.json() };
  };
  const listens = async () => (await fetch(`${url}/livez`).catch(() => undefined))?.status === 200;
  return { port, threads, stop, running: bed.keep(running), get, listens };
}

type Service = Awaited<ReturnType<typeof serve>>;

/** A service whose first store has three notes. */
async function serving(bed: Bed, options: Parameters<typeof serve>[1] = {}): Promise<Service> {
  await bed.append('1', notes(1, 3));
  const service = await serve(bed, options);
  await until(async () => (await service.listens()) && (await service.get('/file')).status === 200);
  return service;
}

const reads = (service: Service, bed: Bed, store: string) =>
  until(async () => (await service.get('/file')).body === bed.path(store));

/** A service that has just flipped to its second store. */
async function flipped(undoMs: number) {
  const bed = await Bed.make();
  const service = await serving(bed, { undoMs });
  await post(bed, 'ReplayRequested', '2');
  await reads(service, bed, '2');
  return { bed, service, [Symbol.asyncDispose]: () => bed[Symbol.asyncDispose]() };
}

/** Asks and appends without a pause until it is told to end. */
function load(bed: Bed, service: Service) {
  const answers: Answer[] = [];
  let on = true;
  const ask = async () => {
    while (on) answers.push(await service.get('/file'));
  };
  const append = async () => {
    for (let n = 4; on; n++) {
      await bed.append(String(n).padStart(6, '1'), [note(n)]);
      await service.get('/livez');
    }
  };
  const running = bed.keep(Promise.all([ask(), ask(), append()]));
  return {
    answers,
    async end() {
      on = false;
      await running;
    },
  };
}

const post = (bed: Bed, type: 'ReplayRequested' | 'StoreFlipped', store: string) =>
  bed.log.post([
    type === 'ReplayRequested'
      ? controlEvent(type, { domain: 'notes', store }, 'test')
      : controlEvent(type, { domain: 'notes', store, hash: '', undoUntil: null }, 'test'),
  ]);

describe('a service', () => {
  it('reads per request the store that is live, and refuses nothing at a flip or back', async () => {
    await using bed = await Bed.make();
    const service = await serving(bed);
    const { answers, end } = load(bed, service);
    await post(bed, 'ReplayRequested', '2');
    await reads(service, bed, '2');
    await post(bed, 'StoreFlipped', '1');
    await reads(service, bed, '1');
    await end();
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(inOrder(answers)).toEqual([bed.path('1'), bed.path('2'), bed.path('1')]);
    expect(service.threads.tasks).toEqual([{ store: '1' }, { replay: '2', live: '1', undoMs: 60_000 }]);
  });

  it('keeps up the store before the last replay, and gives it back as it would be by now', async () => {
    await using bed = await Bed.make();
    const service = await serving(bed);
    await post(bed, 'ReplayRequested', '2');
    await reads(service, bed, '2');
    await bed.append('2', [note(4)]);
    await until(() => bed.notesIn('1').length === 4 && bed.notesIn('2').length === 4);
    await post(bed, 'StoreFlipped', '1');
    await reads(service, bed, '1');
    expect((await service.get('/notes')).body).toEqual([1, 2, 3, 4]);
    expect(service.threads.running).toEqual(new Set(['1', '2']));
  });

  it('drops the store before the last replay when its time is over, and no sooner, with its files', async () => {
    await using lasting = await flipped(60_000);
    await using expiring = await flipped(1);
    const { bed, service } = expiring;
    expect(existsSync(bed.path('1'))).toBe(true);
    await until(() => ['', '-wal', '-shm'].every((suffix) => !existsSync(bed.path('1') + suffix)));
    expect((await bed.control()).of('notes').store).toMatchObject({ live: '2', previous: undefined });
    expect(service.threads.running).toEqual(new Set(['2']));
    expect(await service.get('/notes')).toMatchObject({ status: 200, body: [1, 2, 3] });
    // The older service has looked at least as often.
    expect((await lasting.bed.control()).of('notes').store).toMatchObject({ live: '2', previous: '1' });
    expect(existsSync(lasting.bed.path('1'))).toBe(true);
  });

  it('goes on with the live store after a replay that failed, and takes its files away', async () => {
    await using bed = await Bed.make();
    const service = await serving(bed);
    bed.sql('1', 'DELETE FROM notes WHERE id = 2');
    await post(bed, 'ReplayRequested', '2');
    await until(async () => (await bed.control()).of('notes').lastReplay?.failed !== undefined);
    await until(() => !service.threads.running.has('2') && !existsSync(bed.path('2')));
    expect(await service.get('/notes')).toMatchObject({ status: 200, body: [1, 3] });
    bed.sql('1', "INSERT INTO notes (id, text) VALUES (2, 'text 2')");
    await post(bed, 'ReplayRequested', '3');
    await reads(service, bed, '3');
  });

  it('starts a replay that it hears of together with the failure of the last', async () => {
    await using bed = await Bed.make();
    const gate = Promise.withResolvers<void>();
    const service = await serving(bed, { log: slowRebuild(bed.log, gate.promise) });
    await post(bed, 'ReplayRequested', '2');
    await until(() => service.threads.running.has('2'));
    const { newest } = (await bed.control()).of('notes').store;
    await bed.log.post([
      controlEvent('ReplayFailed', { domain: 'notes', store: '2', reason: '', differences: [] }, 'test'),
      controlEvent('ReplayRequested', { domain: 'notes', store: String(newest + 1) }, 'test'),
    ]);
    gate.resolve();
    await reads(service, bed, '3');
    expect(service.threads.running).toEqual(new Set(['1', '3']));
  });

  it('reads the store before the flip until its own new one is built: another instance was faster', async () => {
    await using bed = await Bed.make();
    const gate = Promise.withResolvers<void>();
    const service = await serving(bed, { log: slowRebuild(bed.log, gate.promise) });
    await post(bed, 'ReplayRequested', '2');
    await until(() => service.threads.running.has('2'));
    await post(bed, 'StoreFlipped', '2');
    await bed.append('2', [note(4)]);
    await until(() => bed.notesIn('1').length === 4);
    expect(await service.get('/file')).toMatchObject({ status: 200, body: bed.path('1') });
    gate.resolve();
    await reads(service, bed, '2');
  });

  it('finds its live store again after a restart', async () => {
    await using bed = await Bed.make();
    const service = await serving(bed);
    await post(bed, 'ReplayRequested', '2');
    await reads(service, bed, '2');
    service.stop.abort();
    await service.running;
    const again = await serve(bed);
    await until(async () => (await again.listens()) && (await again.get('/file')).body === bed.path('2'));
    expect(again.threads.tasks).toEqual([{ store: '2' }, { store: '1' }]);
  });
});

/** Reads with an end wait for the gate. */
function slowRebuild(log: EventLog, gate: Promise<void>): EventLog {
  return faulty(log, {
    async *read(from, options) {
      if (options?.until) await gate;
      yield* log.read(from, options);
    },
  });
}

/** The bodies, each run of equal ones once. */
function inOrder(answers: Answer[]): unknown[] {
  return answers.map(({ body }) => body).filter((body, i, all) => i === 0 || body !== all[i - 1]);
}

describe('a service that cannot answer', () => {
  it('says so until its store can be read, and while its projector is stopped', async () => {
    await using bed = await Bed.make();
    const gate = Promise.withResolvers<void>();
    const closed = faulty(bed.log, {
      async *read(from, options) {
        await gate.promise;
        yield* bed.log.read(from, options);
      },
    });
    await bed.append('1', [note(1)]);
    const service = await serve(bed, { log: closed });
    await until(service.listens);
    expect(await service.get('/notes')).toMatchObject({
      status: 503,
      behind: expect.stringMatching(/starting|behind/),
    });
    gate.resolve();
    await until(async () => (await service.get('/notes')).status === 200);
    await bed.append('2', [event('notes', 'NoteLost', {})]);
    await until(async () => (await service.get('/notes')).status === 503);
    expect((await service.get('/notes')).behind).toMatch('BNY-SERVICE-UNKNOWN-EVENT');
    expect(await service.get('/readyz')).toMatchObject({
      status: 503,
      body: { status: expect.stringMatching('BNY-') },
    });
  });

  it('ends with the error of a thread that dies, and leaves neither port nor thread', async () => {
    await using bed = await Bed.make();
    const service = await serving(bed);
    await post(bed, 'ReplayRequested', '2');
    await reads(service, bed, '2');
    service.threads.told[0]?.died(new Error('out of memory'));
    await expect(service.running).rejects.toThrow('out of memory');
    expect(await service.listens()).toBe(false);
    expect(service.threads.running).toEqual(new Set());
  });

  it('starts no thread any more when one has died', async () => {
    await using bed = await Bed.make();
    const service = await serving(bed);
    service.threads.told[0]?.died(new Error('out of memory'));
    await expect(service.running).rejects.toThrow('out of memory');
    await post(bed, 'ReplayRequested', '2');
    await severalTurns(bed);
    expect(service.threads.tasks).toEqual([{ store: '1' }]);
  });

  it('names its port when that is in use, and starts no thread', async () => {
    await using bed = await Bed.make();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address() as { port: number };
    const threads = new Threads(bed);
    const running = runService(
      {
        log: bed.log,
        domain: NOTES,
        host: '127.0.0.1',
        port: address.port,
        secret: '',
        maxLagMs: 1000,
        undoMs: 1000,
        stores: bed.stores,
        startThread: (task, told) => threads.start(task, told, ''),
        logger: SILENT,
      },
      bed.signal,
    );
    const message = expect.stringContaining(`127.0.0.1:${address.port} is in use`);
    await expect(running).rejects.toMatchObject({ code: 'BNY-SERVICE-PORT', message });
    expect(threads.tasks).toEqual([]);
    await new Promise((resolve) => other.close(resolve));
  });
});

/** As long as another follower of the control topic needs to see what was posted. */
async function severalTurns(bed: Bed): Promise<void> {
  let polls = 0;
  for await (const _ of bed.log.read({ 'banyan.latest': [{ offset: -1, id: '' }] }, { signal: bed.signal })) {
    if (++polls === 5) return;
    await bed.append('1', []);
  }
}
