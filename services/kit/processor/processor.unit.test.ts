import { describe, expect, it } from '@jest/globals';
import { controlEvent, deadTopic, type LoggedEvent, RESET_TYPE, readControlState, START } from '../../../log/index.ts';
import { faulty, until } from '../projector/test-support.ts';
import { backoff } from './attempt.ts';
import { describe as describeError, readDeadLetters } from './dead-letters.ts';
import { standOf } from './progress.ts';
import { job, jobsProcessor, mortal, ProcessorBed } from './test-support.ts';

type Event = Pick<LoggedEvent, 'id'>;

async function deadIn(bed: ProcessorBed) {
  const { open } = await readDeadLetters(bed.log, 'worker');
  return [...open.values()].map(({ event, error, attempts }) => [event.id, error.code, attempts]);
}

async function idle(bed: ProcessorBed, processor: ReturnType<typeof jobsProcessor>): Promise<void> {
  await until(async () => (await standOf(bed.log, processor)).lag === 0);
}

describe('a running processor', () => {
  it('waits twice as long before each retry, a minute at most', () => {
    expect([1, 2, 3, 20].map((n) => backoff({ backoffMs: 250 }, n))).toEqual([250, 500, 1000, 60_000]);
  });

  it('hands an event over again, under the same key, until its handler does not fail', async () => {
    await using bed = await ProcessorBed.inMemory();
    const seen: unknown[] = [];
    const processor = jobsProcessor({
      JobAdded: (_, { attempt, idempotencyKey, router }) => {
        seen.push([attempt, idempotencyKey, router]);
        if (attempt === 1) throw new Error('not yet');
      },
    });
    bed.start(processor);
    await bed.add(job('a', 1));
    await idle(bed, processor);
    const key = ['job-1', 'http://router'];
    expect([seen, await deadIn(bed)]).toEqual([
      [
        [1, ...key],
        [2, ...key],
      ],
      [],
    ]);
  });

  it('lays what fails to the end aside with the later events of its aggregate, and goes on with the others', async () => {
    await using bed = await ProcessorBed.inMemory();
    const seen: string[] = [];
    const processor = jobsProcessor({
      JobAdded: ({ id }: Event) => {
        seen.push(id);
        if (id === 'job-1') throw Object.assign(new Error('no place for text 1 of 1'), { code: 'E_FULL' });
      },
    });
    bed.start(processor);
    await bed.add(job('a', 1), job('b', 2), job('a', 3), job('b', 4));
    await idle(bed, processor);
    expect(seen).toEqual(['job-1', 'job-1', 'job-2', 'job-4']);
    expect(await deadIn(bed)).toEqual([
      ['job-1', 'E_FULL', 2],
      ['job-3', 'BNY-SERVICE-BEHIND-DEAD', 0],
    ]);
    const letters: unknown[] = [];
    for await (const batch of bed.log.read({ [deadTopic('worker')]: [START] }, { follow: false }))
      letters.push(...batch.map(({ data }) => JSON.parse(data)));
    expect(letters[0]).toMatchObject({
      event: { topic: 'jobs', partition: 0, offset: 0, id: 'job-1', data: { id: 1, text: 'text 1' } },
      error: { message: 'no place for … of …' },
      attempts: 2,
    });
    expect(await standOf(bed.log, processor)).toEqual({ lag: 0, dead: 2 });
  });

  it('hands dead letters over again when it is asked to, an aggregate in order, and then what comes after them', async () => {
    await using bed = await ProcessorBed.inMemory();
    let broken = new Set(['job-1', 'job-2']);
    const seen: string[] = [];
    const processor = jobsProcessor({
      JobAdded: ({ id }: Event) => {
        if (broken.has(id)) throw new Error('broken');
        seen.push(id);
      },
    });
    bed.start(processor);
    await bed.add(job('a', 1), job('b', 2), job('a', 3), job('b', 4));
    await idle(bed, processor);
    broken = new Set(['job-2']);
    const request = (...events: string[]) =>
      bed.log.post([controlEvent('DeadReplayRequested', { processor: 'worker', events }, 'anna')]);
    await request('job-3');
    await request('job-1', 'job-2', 'job-3', 'job-4');
    await until(async () => (await standOf(bed.log, processor)).dead === 2);
    await bed.add(job('a', 5), job('b', 6));
    await idle(bed, processor);
    expect(seen).toEqual(['job-1', 'job-3', 'job-5']);
    expect((await deadIn(bed)).map(([id]) => id)).toEqual(['job-2', 'job-4', 'job-6']);
    broken.clear();
    await request('job-2', 'job-4', 'job-6');
    await until(async () => (await standOf(bed.log, processor)).dead === 0);
    expect(seen.slice(3)).toEqual(['job-2', 'job-4', 'job-6']);
  });

  it('gives up a handler that never ends, and tells it so', async () => {
    await using bed = await ProcessorBed.inMemory();
    let told = false;
    const forever = jobsProcessor(
      {
        JobAdded: (_, { signal }) =>
          new Promise<void>(() => signal.addEventListener('abort', () => (told = true), { once: true })),
      },
      { deadlineMs: 20, retries: 0 },
    );
    bed.start(forever);
    await bed.add(job('a', 1));
    await until(async () => (await deadIn(bed)).length === 1);
    expect([told, await deadIn(bed)]).toEqual([true, [['job-1', 'BNY-SERVICE-DEADLINE', 1]]]);
  });

  it.each([
    ['ignore', ['job-2']],
    ['handle', ['job-1', 'job-2']],
  ] as const)('with seeds: %s gets %j of a seed and a change', async (seeds, ids) => {
    await using bed = await ProcessorBed.inMemory();
    const seen: string[] = [];
    const processor = jobsProcessor({ JobAdded: ({ id }: Event) => void seen.push(id) }, { seeds });
    bed.start(processor);
    await bed.add(job('a', 0, { type: RESET_TYPE }), job('a', 1, { seed: 'run' }), job('a', 2));
    await idle(bed, processor);
    expect(seen).toEqual(ids);
  });

  it('begins at the end of the log, and at every later start where it was', async () => {
    await using bed = await ProcessorBed.inMemory();
    const seen: string[] = [];
    const processor = jobsProcessor({ JobAdded: ({ id }: Event) => void seen.push(id) }, { from: 'now' });
    await bed.add(job('a', 1));
    const first = bed.start(processor);
    await idle(bed, processor);
    await bed.add(job('a', 2));
    await until(() => seen.length > 0);
    await first.end();
    await bed.add(job('a', 3));
    bed.start(processor);
    await until(() => seen.length > 1);
    expect(seen).toEqual(['job-2', 'job-3']);
    expect((await readControlState(bed.log)).processor('worker').begun).toEqual({ jobs: [0] });
  });

  it('ends though its log does not answer any more', async () => {
    await using bed = await ProcessorBed.inMemory();
    using silent = mortal(bed.log);
    const processor = jobsProcessor({ JobAdded: () => undefined });
    const { end } = bed.start(processor, silent.log, 50);
    await bed.add(job('a', 1));
    await idle(bed, processor);
    silent.kill();
    await expect(end()).resolves.toBeUndefined();
  });

  it('ends at once while it waits for the right to a partition', async () => {
    await using bed = await ProcessorBed.inMemory();
    const asked = Promise.withResolvers<void>();
    const away = faulty(bed.log, {
      writer: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason));
          asked.resolve();
        }),
    });
    const { end } = bed.start(jobsProcessor({ JobAdded: () => undefined }), away, 3_600_000);
    await asked.promise;
    await expect(end()).resolves.toBeUndefined();
  });

  it('stops at an event of an unknown version, says so, and skips nothing', async () => {
    await using bed = await ProcessorBed.inMemory();
    const seen: string[] = [];
    const processor = jobsProcessor({ JobAdded: ({ id }: Event) => void seen.push(id) });
    bed.start(processor);
    await bed.add(job('a', 1), job('a', 2, { version: 9 }), job('a', 3));
    const beats = async () => [...(await readControlState(bed.log)).latest.values()].map(({ data }) => data);
    await until(async () => JSON.stringify(await beats()).includes('BNY-SERVICE-UNKNOWN-EVENT'));
    expect([seen, await deadIn(bed)]).toEqual([['job-1'], []]);
  });

  it('takes no more when a thousand dead letters lie open, until a replay makes room', async () => {
    await using bed = await ProcessorBed.inMemory();
    let broken = true;
    const seen: string[] = [];
    const processor = jobsProcessor(
      {
        JobAdded: ({ id }: Event) => {
          if (broken) throw new Error('broken');
          seen.push(id);
        },
      },
      { retries: 0 },
    );
    const all = Array.from({ length: 1000 }, (_, i) => job(`key ${i % 7}`, i));
    await bed.add(...all);
    await bed.add(job('other', 1000));
    bed.start(processor);
    const beats = async () => JSON.stringify([...(await readControlState(bed.log)).latest.values()]);
    await until(async () => (await beats()).includes('BNY-SERVICE-DEAD-FULL'));
    expect((await deadIn(bed)).length).toBe(1000);
    broken = false;
    const events = all.map(({ id }) => id);
    await bed.log.post([controlEvent('DeadReplayRequested', { processor: 'worker', events }, 'anna')]);
    await until(() => seen.length === 1001);
    expect(seen.at(-1)).toBe('job-1000');
    await until(async () => !(await beats()).includes('BNY-SERVICE-DEAD-FULL'));
  });

  it.each([
    ['a message that is no text', Object.assign(new Error('x'), { message: { reason: 5 } }), 'unknown'],
    ['a name that is no text', Object.assign(new Error('x'), { name: undefined }), 'unknown'],
    ['a code longer than an append', Object.assign(new Error('x'), { code: 'x'.repeat(2_000_000) }), 'x'.repeat(500)],
    ['nothing', undefined, 'unknown'],
  ])('lays an event aside whose handler throws %s', async (_, thrown, code) => {
    await using bed = await ProcessorBed.inMemory();
    const processor = jobsProcessor({
      JobAdded: () => {
        throw thrown;
      },
    });
    bed.start(processor);
    await bed.add(job('a', 1));
    await idle(bed, processor);
    expect(await deadIn(bed)).toEqual([['job-1', code, 2]]);
  });

  it('takes the values of an event out of what everybody may read, and leaves the rest', () => {
    const event = { ...job('k-7', 5), partition: 0, offset: 0, sequence: 0 };
    const data = JSON.stringify({ id: 5, name: 'Anna (the 1st)', inner: [{ mail: 'anna@site' }] });
    const error = new Error("503: duplicate 'Anna (the 1st)' <anna@site> of 5 in k-7 at 55");
    expect(describeError(error, { ...event, data })).toEqual({
      code: 'Error',
      message: "503: duplicate '…' <…> of … in … at 55",
    });
    expect(describeError('anna@site', { ...event, data }).message).not.toContain('anna');
  });
});
