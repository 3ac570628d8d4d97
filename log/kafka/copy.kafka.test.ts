import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Kafka, startKafka } from '../../scripts/lib/kafka.ts';
import { openSqliteLog, type SqliteLog } from '../sqlite/log.ts';
import type { EventLog, Topics } from '../types.ts';
import { type CopyOptions, copyToKafka } from './copy.ts';
import { collect, event, LogOnKafka, start } from './test-support.ts';

const ALL: Topics = { orders: {}, parcels: { partitions: 4 }, control: {}, latest: { compacted: true } };

describe('a log that is copied to Kafka', () => {
  let kafka: Kafka;
  let folder: string;
  let from: SqliteLog;
  let on: LogOnKafka;
  let options: CopyOptions;

  beforeAll(async () => {
    kafka = await startKafka();
  });
  afterAll(() => kafka.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'banyan-copy-'));
    from = openSqliteLog({ file: join(folder, 'log.sqlite'), topics: ALL });
    on = new LogOnKafka(kafka);
    const to = { ...on.options, topics: ALL };
    const signal = new AbortController().signal;
    options = { from, to, writer: 'emitter', posted: ['control'], onProgress: () => undefined, signal };
    const writer = await from.writer('emitter');
    for (let n = 0; n < 3000; n += 100) {
      const events = Array.from({ length: 100 }, (_, i) => event(i % 3 ? 'orders' : 'parcels', `key-${i % 17}`, n + i));
      await writer.append([...events, event('control', 'c', n), event('latest', 'beat', n)], { position: String(n) });
      await from.post([event('control', 'posted', 10_000 + n)]);
    }
  });
  afterEach(async () => {
    await from.close();
    await on.close();
    await rm(folder, { recursive: true });
  });

  const everything = async (log: Pick<SqliteLog, 'read'>) =>
    (await collect(log.read({ orders: start(1), parcels: start(4), control: start(1) }, { follow: false }))).sort(
      (a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition || a.offset - b.offset,
    );

  it('has the same events at the same offsets, the same checkpoint and identity, and goes on', async () => {
    const seen: number[] = [];
    const { events } = await copyToKafka({ ...options, onProgress: (n) => seen.push(n) });
    const copy = on.open({ topics: ALL });
    expect(await everything(copy)).toEqual(await everything(from));
    expect([events, seen.at(-1)]).toEqual([3060, 3060]);
    expect(await copy.identity()).toBe(await from.identity());
    // What is compacted begins anew.
    const { ends: { latest: _, ...ends } = {}, ...checkpoint } = (await from.checkpoint('emitter')) ?? {};
    expect(await copy.checkpoint('emitter')).toEqual({ ...checkpoint, ends });
    const writer = await copy.writer('emitter');
    const more = [event('orders', 'a', 5000), event('parcels', 'b', 5001), event('control', 'c', 5002)];
    await writer.append([...more, event('latest', 'beat', 5003)], {});
    const [last] = (await collect(copy.read({ parcels: start(4) }, { follow: false }))).slice(-1);
    expect(last).toMatchObject({ id: 'parcels-5001', sequence: 1020 });
    expect((await everything(copy)).length).toBe(3063);
  });

  it('is gone on with after it was broken off, and copied once when it is asked for twice', async () => {
    const stop = new AbortController();
    const broken = copyToKafka({ ...options, signal: stop.signal, onProgress: (n) => n > 1000 && stop.abort() });
    await expect(broken).rejects.toThrow();
    const { events, hash } = await copyToKafka(options);
    expect(await copyToKafka(options)).toEqual({ events, hash });
    expect(await everything(on.open({ topics: ALL }))).toEqual(await everything(from));
  });

  it('is whole only with the progress of processors, as it stands at the last attempt', async () => {
    const to = { ...options.to, writers: ['emitter', 'worker'] };
    const worker = await from.writer('worker');
    await worker.append([], { done: 1 });
    await copyToKafka({ ...options, to, from: withoutCheckpoint(from, 'emitter') });
    await worker.append([], { done: 2 });
    await expect(copyToKafka({ ...options, to, from: brokenOff(from, 'worker') })).rejects.toThrow('broken off');
    const copy = on.open(to);
    expect(await copy.checkpoint('emitter')).toBeUndefined();
    await copyToKafka({ ...options, to });
    expect((await copy.checkpoint('emitter'))?.state).toEqual((await from.checkpoint('emitter'))?.state);
    expect(await copy.checkpoint('worker')).toMatchObject({ state: { done: 2 } });
  });

  it('holds events of any size', async () => {
    const writer = await from.writer('emitter');
    const large = { data: JSON.stringify('鍵'.repeat(9_000)) };
    for (let n = 0; n < 10; n++) {
      const events = Array.from({ length: 100 }, (_, i) => ({
        ...event('orders', 'large', 10_000 + n * 100 + i),
        ...large,
      }));
      await writer.append(events, {});
    }
    expect((await copyToKafka(options)).events).toBe(4060);
  });

  it('is refused when it was written to meanwhile, and as a copy into another log', async () => {
    const writer = await from.writer('emitter');
    let writes = 0;
    const onProgress = () => {
      if (writes++ === 0) void writer.append([event('orders', 'a', 9000)], {});
    };
    await expect(copyToKafka({ ...options, onProgress })).rejects.toMatchObject({ code: 'BNY-LOG-CONFLICT' });
    const other = openSqliteLog({ file: join(folder, 'other.sqlite'), topics: ALL });
    await expect(copyToKafka({ ...options, from: other })).rejects.toMatchObject({ code: 'BNY-LOG-ANOTHER' });
    await other.close();
  });
});

/** As it was before it had that writer. */
function withoutCheckpoint(log: SqliteLog, writer: string): EventLog {
  return withCheckpoint(log, async (id) => (id === writer ? undefined : log.checkpoint(id)));
}

function brokenOff(log: SqliteLog, writer: string): EventLog {
  return withCheckpoint(log, async (id) => {
    if (id === writer) throw new Error('broken off');
    return log.checkpoint(id);
  });
}

function withCheckpoint(log: SqliteLog, checkpoint: EventLog['checkpoint']): EventLog {
  return new Proxy(log, {
    get: (target, name: keyof SqliteLog) =>
      name === 'checkpoint' ? checkpoint : (target[name] as () => unknown).bind(target),
  });
}
