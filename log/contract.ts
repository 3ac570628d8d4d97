import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { covers, fromStart } from './append.ts';
import {
  type Checkpoint,
  type Cursors,
  type EventLog,
  type LoggedEvent,
  type LogWriter,
  MAX_APPEND_EVENTS,
  MAX_BATCH_BYTES,
  type NewEvent,
  type Topics,
} from './types.ts';

/** The topics that a log under test is opened with. */
export const CONTRACT_TOPICS: Topics = { orders: {}, parcels: { partitions: 4 }, latest: { compacted: true } };

export interface LogUnderTest {
  log: EventLog;
  /** Opens the same log again, as another process would. `undefined` where it cannot outlive its process. */
  reopen?: () => Promise<EventLog>;
  dispose(): Promise<void>;
}

/** What every adapter of {@link EventLog} owes; run it on each. */
export function testEventLog(name: string, open: () => Promise<LogUnderTest>): void {
  describe(`${name} keeps the contract of the event log`, () => {
    let test: LogUnderTest;
    let log: EventLog;
    beforeEach(async () => {
      test = await open();
      log = test.log;
    });
    const writers: LogWriter[] = [];
    const openWriter = async (id: string, of = log) => {
      const writer = await of.writer(id);
      writers.push(writer);
      return writer;
    };
    afterEach(async () => {
      await Promise.all(writers.splice(0).map((writer) => writer.close()));
      await test.dispose();
    });

    it('gives back what was appended, in order, with rising offsets and sequences without gaps', async () => {
      const writer = await openWriter('emitter');
      await writer.append([event('orders', 'a', 1), event('orders', 'b', 2)], {});
      await writer.append([event('orders', 'a', 3)], {});
      const events = await all(log, ['orders']);
      expect(events.map((e) => [e.id, e.sequence])).toEqual([
        ['orders-1', 0],
        ['orders-2', 1],
        ['orders-3', 2],
      ]);
      expect(events.map((e) => e.offset)).toEqual([...new Set(events.map((e) => e.offset))].sort((a, b) => a - b));
      expect(events[0]).toMatchObject({ ...event('orders', 'a', 1), partition: 0 });
      expect([events[0]?.seed, events[0]?.position]).toEqual([undefined, undefined]);
    });

    it('keeps optional attributes, emoji and large data as they are', async () => {
      const full = {
        ...event('orders', '🎈', 1),
        position: '1:2',
        seed: 'run-1',
        data: JSON.stringify({ t: '🎈'.repeat(50_000) }),
      };
      await (await openWriter('emitter')).append([full], {});
      expect((await all(log, ['orders']))[0]).toMatchObject(full);
    });

    it('appends to several topics with the checkpoint in one piece, and ends says where they end', async () => {
      const writer = await openWriter('emitter');
      const checkpoint = await writer.append([event('orders', 'a', 1), event('latest', 'x', 1)], { position: '7' });
      expect(checkpoint).toMatchObject({ number: 1, state: { position: '7' } });
      expect(checkpoint.ends).toEqual(await log.ends(['orders', 'latest']));
      expect(await log.checkpoint('emitter')).toEqual(checkpoint);
      expect((await writer.append([], { position: '8' })).ends).toEqual(checkpoint.ends);
    });

    it('appends nothing at all when one event of an append cannot be appended', async () => {
      const writer = await openWriter('emitter');
      await expect(
        writer.append([event('orders', 'a', 1), event('nowhere', 'a', 2)], { lost: true }),
      ).rejects.toMatchObject({
        code: 'BNY-LOG-UNKNOWN-TOPIC',
      });
      expect(await all(log, ['orders'])).toEqual([]);
      expect(await log.checkpoint('emitter')).toBeUndefined();
    });

    it('carries out appends in the order in which they were asked for, and none after one that failed', async () => {
      const writer = await openWriter('emitter');
      const asked = [1, 2, 3, 4].map((n) =>
        writer.append([event(n === 3 ? 'nowhere' : 'orders', 'a', n)], { position: `${n}` }),
      );
      const outcomes = await Promise.allSettled(asked);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
      await expect(writer.append([event('orders', 'a', 5)], {})).rejects.toMatchObject({
        code: 'BNY-LOG-UNKNOWN-TOPIC',
      });
      expect((await all(log, ['orders'])).map(({ id }) => id)).toEqual(['orders-1', 'orders-2']);
      expect(await log.checkpoint('emitter')).toMatchObject({ number: 2, state: { position: '2' } });
    });

    it('answers each of several appends under way with the checkpoint of its own', async () => {
      const writer = await openWriter('emitter');
      const numbers = Array.from({ length: 20 }, (_, i) => i + 1);
      const answers = await Promise.all(
        numbers.map((n) => writer.append([event('orders', 'a', n), event('orders', 'a', -n)], { position: n })),
      );
      const logged = await all(log, ['orders']);
      expect(logged.map(({ id }) => id)).toEqual(numbers.flatMap((n) => [`orders-${n}`, `orders-${-n}`]));
      expect(answers.map(({ number, state }) => ({ number, state }))).toEqual(
        numbers.map((n) => ({ number: n, state: { position: n } })),
      );
      expect(answers.map(({ ends }) => ends)).toEqual(numbers.map((n) => ({ orders: [logged[2 * n - 1]?.offset] })));
      const next = await openWriter('emitter');
      const { number, state, ends } = answers.at(-1) as Checkpoint;
      expect(next.checkpoint).toMatchObject({ number, state, ends });
      await next.append([event('orders', 'a', 21)], {});
      expect((await all(log, ['orders'])).at(-1)?.sequence).toBe(40);
    });

    it('refuses more than an append may hold', async () => {
      const writer = await openWriter('emitter');
      const many = Array.from({ length: MAX_APPEND_EVENTS + 1 }, (_, i) => event('orders', 'a', i));
      await expect(writer.append(many, {})).rejects.toMatchObject({ code: 'BNY-LOG-TOO-LARGE' });
      const big = { ...event('orders', 'a', 1), data: `"${'x'.repeat(1_000_000)}"` };
      const other = await openWriter('emitter');
      await expect(other.append([big], {})).rejects.toMatchObject({ code: 'BNY-LOG-TOO-LARGE' });
    });

    it('fences an older writer, and hands its checkpoint to the newer', async () => {
      const older = await openWriter('emitter');
      await older.append([event('orders', 'a', 1)], { position: '1' });
      const newer = await openWriter('emitter');
      expect(newer.generation).toBeGreaterThan(older.generation);
      expect(newer.checkpoint).toMatchObject({ state: { position: '1' } });
      await expect(older.append([event('orders', 'a', 2)], { position: '2' })).rejects.toMatchObject({
        code: 'BNY-LOG-FENCED',
      });
      await newer.append([event('orders', 'a', 3)], { position: '3' });
      expect((await all(log, ['orders'])).map((e) => e.id)).toEqual(['orders-1', 'orders-3']);
    });

    it('does not let writers of different ids fence each other', async () => {
      const one = await openWriter('one');
      const two = await openWriter('two');
      await one.append([event('orders', 'a', 1)], {});
      await two.append([event('orders', 'a', 2)], {});
      expect((await all(log, ['orders'])).map((e) => e.sequence)).toEqual([0, 0]);
    });

    it('goes on with sequences, offsets and ends after a take-over', async () => {
      await (await openWriter('emitter')).append([event('orders', 'a', 1)], {});
      const checkpoint = await (await openWriter('emitter')).append([event('parcels', 'a', 2)], {});
      expect(checkpoint.number).toBe(2);
      expect(checkpoint.ends).toEqual(await log.ends(['orders', 'parcels']));
      await (await openWriter('emitter')).append([event('orders', 'a', 3)], {});
      expect((await all(log, ['orders'])).map((e) => e.sequence)).toEqual([0, 1]);
    });

    it('puts events of one key into one partition and keeps their order', async () => {
      const writer = await openWriter('emitter');
      for (let i = 0; i < 40; i++) await writer.append([event('parcels', `key-${i % 8}`, i)], {});
      const events = await all(log, ['parcels']);
      const partitions = new Map<string, number>();
      for (const e of events)
        expect(partitions.set(e.key, partitions.get(e.key) ?? e.partition).get(e.key)).toBe(e.partition);
      expect(new Set(partitions.values()).size).toBeGreaterThan(1);
      for (const key of partitions.keys()) {
        const order = events.filter((e) => e.key === key).map((e) => e.sequence);
        expect(order).toEqual([...order].sort((a, b) => a - b));
      }
      expect(events.map((e) => e.sequence).sort((a, b) => a - b)).toEqual(events.map((_, i) => i));
    });

    it('gives the events of several partitions in the order of their writer, from any cursors', async () => {
      const writer = await openWriter('emitter');
      for (let n = 0; n < 30; n += 3) {
        await writer.append(
          [0, 1, 2].map((i) => event('parcels', `key-${(n + i) % 7}`, n + i)),
          {},
        );
      }
      const events = await all(log, ['parcels']);
      expect(events.map((e) => e.sequence)).toEqual(events.map((_, i) => i));
      for (const taken of [1, 13, 30]) {
        const cursors = fromStart(['parcels'], CONTRACT_TOPICS);
        for (const { partition, offset, id } of events.slice(0, taken))
          (cursors['parcels'] as unknown[])[partition] = { offset, id };
        const rest = await all(log, ['parcels'], cursors);
        expect(rest.map((e) => e.id)).toEqual(events.slice(taken).map((e) => e.id));
      }
    });

    it('keeps only the newest event of a key in a compacted topic, and tells a reader of each', async () => {
      for (let i = 0; i < 3; i++) await log.post([event('latest', 'x', i), event('latest', `y${i}`, 10 + i)]);
      const events = await all(log, ['latest']);
      expect(events.filter((e) => e.key === 'x').map((e) => e.id)).toEqual(['latest-2']);
      expect(events).toHaveLength(4);
      await expect(all(log, ['latest'], { latest: [{ offset: 0, id: 'latest-0' }] })).resolves.toHaveLength(4);
    });

    it('resumes behind a cursor, and stops when another event stands there', async () => {
      const writer = await openWriter('emitter');
      await writer.append([event('orders', 'a', 1), event('orders', 'a', 2)], {});
      const [first, second] = await all(log, ['orders']);
      const cursor = { offset: first?.offset ?? 0, id: first?.id ?? '' };
      expect(await all(log, ['orders'], { orders: [cursor] })).toEqual([second]);
      await expect(all(log, ['orders'], { orders: [{ ...cursor, id: 'other' }] })).rejects.toMatchObject({
        code: 'BNY-LOG-ANOTHER',
      });
      await expect(all(log, ['orders'], { orders: [{ offset: 99, id: 'x' }] })).rejects.toMatchObject({
        code: 'BNY-LOG-ANOTHER',
      });
    });

    it('lets a caught-up reader reach its ends, and a checkpoint be covered', async () => {
      const writer = await openWriter('emitter');
      const checkpoint = await writer.append([event('orders', 'a', 1), event('parcels', 'k', 2)], {});
      const cursors = fromStart(['orders', 'parcels'], CONTRACT_TOPICS);
      expect(covers(cursors, checkpoint.ends)).toBe(false);
      for (const e of await all(log, ['orders', 'parcels']))
        (cursors[e.topic] as unknown[])[e.partition] = { offset: e.offset, id: e.id };
      expect(covers(cursors, await log.ends(['orders', 'parcels']))).toBe(true);
      expect(covers(cursors, checkpoint.ends)).toBe(true);
    });

    it('wakes a following reader at each append, also of another topic or of the checkpoint alone', async () => {
      const writer = await openWriter('emitter');
      const stop = new AbortController();
      const batches = log.read(fromStart(['orders'], CONTRACT_TOPICS), { signal: stop.signal })[Symbol.asyncIterator]();
      await writer.append([event('orders', 'a', 1)], {});
      expect(await nextFull(batches)).toEqual(['orders-1']);
      await writer.append([], { idle: true });
      expect((await batches.next()).value).toEqual([]);
      await writer.append([event('orders', 'a', 2)], {});
      expect(await nextFull(batches)).toEqual(['orders-2']);
      stop.abort();
      await batches.return?.();
    });

    it('reads exactly until given ends', async () => {
      const writer = await openWriter('emitter');
      await writer.append([event('orders', 'a', 1), event('orders', 'a', 2)], {});
      const until = await log.ends(['orders']);
      await writer.append([event('orders', 'a', 3)], {});
      const ids: string[] = [];
      for await (const batch of log.read(fromStart(['orders'], CONTRACT_TOPICS), { until }))
        ids.push(...batch.map((e) => e.id));
      expect(ids).toEqual(['orders-1', 'orders-2']);
    });

    it('ends a reader that is aborted while it waits', async () => {
      const stop = new AbortController();
      const reading = (async () => {
        for await (const _ of log.read(fromStart(['orders'], CONTRACT_TOPICS), { signal: stop.signal }));
      })();
      stop.abort();
      await reading;
    });

    it('cuts batches at the limit and reads every topic in the end', async () => {
      const writer = await openWriter('emitter');
      for (let i = 0; i < 5; i++) await writer.append([event('orders', 'a', i), event('parcels', `k${i}`, i)], {});
      const sizes: number[] = [];
      let count = 0;
      for await (const batch of log.read(fromStart(['orders', 'parcels'], CONTRACT_TOPICS), {
        follow: false,
        limit: 3,
      })) {
        sizes.push(batch.length);
        count += batch.length;
      }
      expect(Math.max(...sizes)).toBeLessThanOrEqual(3);
      expect(count).toBe(10);
    });

    it('cuts batches of large events short, over all partitions together', async () => {
      const writer = await openWriter('emitter');
      const data = JSON.stringify('x'.repeat(900_000));
      for (let i = 0; i < 24; i++) await writer.append([{ ...event('parcels', `k${i}`, i), data }], {});
      const sizes: number[] = [];
      for await (const batch of log.read(fromStart(['parcels'], CONTRACT_TOPICS), { follow: false })) {
        sizes.push(batch.length);
      }
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(24);
      expect((Math.max(...sizes) - 1) * data.length).toBeLessThan(MAX_BATCH_BYTES);
    });

    it('refuses topics that it does not have', async () => {
      await expect(log.ends(['nowhere'])).rejects.toMatchObject({ code: 'BNY-LOG-UNKNOWN-TOPIC' });
      await expect(all(log, [], { nowhere: [{ offset: -1, id: '' }] })).rejects.toMatchObject({
        code: 'BNY-LOG-UNKNOWN-TOPIC',
      });
    });

    it('is the same log when it is opened again, with everything in it', async () => {
      if (!test.reopen) return;
      const writer = await openWriter('emitter');
      await writer.append([event('orders', 'a', 1)], { position: '1' });
      const again = await test.reopen();
      expect(await again.identity()).toBe(await log.identity());
      expect(await again.checkpoint('emitter')).toEqual(writer.checkpoint);
      expect(await all(again, ['orders'])).toEqual(await all(log, ['orders']));
      await openWriter('emitter', again);
      await expect(writer.append([], {})).rejects.toMatchObject({ code: 'BNY-LOG-FENCED' });
      await again.close();
    });
  });
}

function event(topic: string, key: string, n: number): NewEvent {
  const data = JSON.stringify({ n });
  return {
    topic,
    key,
    id: `${topic}-${n}`,
    type: 'Happened',
    version: 1,
    time: '2026-01-01T00:00:00.000Z',
    data,
    origin: 'monolith',
    epoch: 0,
  };
}

async function all(
  log: EventLog,
  topics: string[],
  from: Cursors = fromStart(topics, CONTRACT_TOPICS),
): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  for await (const batch of log.read(from, { follow: false })) events.push(...batch);
  return events;
}

async function nextFull(batches: AsyncIterator<LoggedEvent[]>): Promise<string[]> {
  for (;;) {
    const { value, done } = await batches.next();
    if (done || value.length > 0) return (value ?? []).map((e: LoggedEvent) => e.id);
  }
}
