import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { LATEST_TOPIC, readControlState, START } from '../../../log/index.ts';
import { until } from '../projector/test-support.ts';
import { readProgress, standOf, writerOf } from './progress.ts';
import { job, jobsProcessor, mortal, ProcessorBed } from './test-support.ts';

const KEYS = Array.from({ length: 12 }, (_, i) => `key ${i}`);

/** What was handled, by whom and in which partition. */
class Handled {
  readonly all: { by: string; id: number; key: string; partition: number }[] = [];

  by(name: string, before: () => Promise<unknown> | undefined = () => undefined) {
    return jobsProcessor({
      JobAdded: async ({ data, key, partition }) => {
        await before();
        this.all.push({ by: name, id: data.id, key, partition });
      },
    });
  }

  get ids(): number[] {
    return this.all.map(({ id }) => id);
  }

  ofKey(key: string): number[] {
    return this.all.filter((each) => each.key === key).map(({ id }) => id);
  }

  partitionsOf(name: string): number[] {
    return [...new Set(this.all.filter(({ by }) => by === name).map(({ partition }) => partition))].sort(
      (a, b) => a - b,
    );
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const jobsOf = (from: number, to: number) => range(from, to).map((id) => job(KEYS[id % KEYS.length] as string, id));

describe('instances of a processor', () => {
  it('share the partitions; each event is handled once, those of an aggregate in order', async () => {
    await using bed = await ProcessorBed.onDisk(4);
    const handled = new Handled();
    await bed.add(...jobsOf(0, 100));
    bed.start(handled.by('a', () => sleep(2)));
    await until(() => handled.all.length > 20);
    bed.start(handled.by('b', () => sleep(2)));
    for (let from = 100; handled.partitionsOf('b').length < 2 && from < 2000; from += 20) {
      await bed.add(...jobsOf(from, from + 20));
      await sleep(200);
    }
    const mark = handled.all.length;
    const total = Number((await bed.log.ends(['jobs']))['jobs']?.reduce((sum, end) => sum + end + 1, 0));
    await bed.add(...jobsOf(total, total + 60));
    await until(() => handled.all.length >= total + 60);
    expect(handled.ids.toSorted((x, y) => x - y)).toEqual(range(0, total + 60));
    for (const key of KEYS) expect(handled.ofKey(key)).toEqual(handled.ofKey(key).toSorted((x, y) => x - y));
    const late = handled.all.slice(mark);
    const owners = range(0, 4).map((p) => new Set(late.filter(({ partition }) => partition === p).map(({ by }) => by)));
    expect(owners.map(({ size }) => size)).toEqual([1, 1, 1, 1]);
    expect(handled.partitionsOf('b')).toHaveLength(2);
  });

  it('take over from one that was killed, behind the progress it wrote down', async () => {
    await using bed = await ProcessorBed.onDisk(4);
    const handled = new Handled();
    using doomed = mortal(bed.log);
    const never = new Promise(() => undefined);
    bed.start(
      handled.by('doomed', () => (doomed.isDead() ? never : sleep(1))),
      doomed.log,
    );
    await bed.add(...jobsOf(0, 40));
    await until(() => handled.all.length === 40);
    bed.start(handled.by('heir'));
    const { name } = handled.by('x');
    const writtenDown = async () => (await standOf(bed.log, handled.by('x'))).lag === 0;
    await until(writtenDown);
    doomed.kill();
    await bed.add(...jobsOf(40, 80));
    await until(() => handled.partitionsOf('heir').length === 4 && new Set(handled.ids).size === 80);
    await until(writtenDown);
    expect(handled.ids.toSorted((x, y) => x - y)).toEqual(range(0, 80));
    for (const key of KEYS) expect(handled.ofKey(key)).toEqual(handled.ofKey(key).toSorted((x, y) => x - y));
    expect(
      readProgress((await bed.log.checkpoint(writerOf(name, { topic: 'jobs', partition: 0 })))?.state),
    ).toBeDefined();
  });

  it('hand over what they hold when they are ended, without handling anything twice', async () => {
    await using bed = await ProcessorBed.onDisk(4);
    const handled = new Handled();
    await bed.add(...jobsOf(0, 60));
    const first = bed.start(handled.by('first', () => sleep(3)));
    await until(() => handled.all.length > 10);
    await first.end();
    bed.start(handled.by('second'));
    await until(() => new Set(handled.ids).size === 60);
    expect(handled.ids.toSorted((x, y) => x - y)).toEqual(range(0, 60));
  });

  it('wait for the attempt under way before they take a partition that is to be theirs', async () => {
    await using bed = await ProcessorBed.onDisk(4);
    const handled = new Handled();
    const gate = Promise.withResolvers<void>();
    let begun = 0;
    const behind = (name: string) =>
      handled.by(name, () => {
        begun++;
        return gate.promise;
      });
    bed.start(behind('old'));
    await bed.add(...KEYS.map((key, id) => job(key, id)));
    await until(() => begun === 4);
    const { instance } = bed.start(behind('new'));
    const beats = async () => [...(await readControlState(bed.log)).latest.values()].map(({ data }) => data);
    await until(async () =>
      (await beats()).some((beat) => 'number' in beat && beat.instance === instance && beat.number > 3),
    );
    expect(begun).toBe(4);
    gate.resolve();
    await until(() => new Set(handled.ids).size === KEYS.length);
    expect(handled.ids.toSorted((x, y) => x - y)).toEqual(range(0, KEYS.length));
  });

  it('let go at once of a partition that another one has taken', async () => {
    await using bed = await ProcessorBed.onDisk(1);
    const handled = new Handled();
    const paused = Promise.withResolvers<void>();
    bed.start(handled.by('old', () => (handled.all.length === 5 ? paused.promise : undefined)));
    await bed.add(...jobsOf(0, 200));
    await until(() => handled.all.length === 5);
    const thief = await bed.log.writer(writerOf('worker', { topic: 'jobs', partition: 0 }));
    await thief.append([], { cursor: { offset: 199, id: 'job-199' }, replays: 0, dead: 0 });
    await sleep(1100);
    paused.resolve();
    await bed.add(job('after', 200));
    await until(() => handled.ids.includes(200));
    expect(handled.ids).toEqual([0, 1, 2, 3, 4, 5, 200]);
  });

  it('write down no more than one progress a second, and nothing while nothing comes', async () => {
    await using bed = await ProcessorBed.onDisk(1);
    const handled = new Handled();
    bed.start(handled.by('a'));
    const place = { topic: 'jobs', partition: 0 };
    const started = performance.now();
    const appends = async () => (await bed.log.checkpoint(writerOf('worker', place)))?.number ?? 0;
    for (let id = 0; id < 300; id++) {
      await bed.add(job('k', id));
      await sleep(5);
    }
    await until(async () => (await standOf(bed.log, handled.by('a'))).lag === 0);
    const seconds = (performance.now() - started) / 1000;
    const written = await appends();
    expect(written).toBeLessThan(seconds + 4);
    await sleep(2500);
    expect(await appends()).toBe(written);
    let latest = 0;
    for await (const batch of bed.log.read({ [LATEST_TOPIC]: [START] }, { follow: false })) latest += batch.length;
    expect(latest).toBe(1);
  });
});
