import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Kafka, startKafka } from '../../scripts/lib/kafka.ts';
import type { EventLog, LogWriter } from '../types.ts';
import { Producer } from './producer.ts';
import { event, LogOnKafka, readAll } from './test-support.ts';
import { Wire } from './wire.ts';

let kafka: Kafka;
let on: LogOnKafka;
beforeAll(async () => {
  kafka = await startKafka({ extra: { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500' } });
});
beforeEach(() => {
  on = new LogOnKafka(kafka);
});
afterEach(() => on.close());
afterAll(() => kafka.stop());

/** Whoever is named as the emitter, but begins a transaction by hand. */
async function begun(transactionalId = on.topic('emitter')) {
  const place = { topic: on.topic('orders'), partition: 0 };
  const wire = await Wire.open(on.options, [place.topic]);
  const producer = await Producer.open(wire, transactionalId);
  await producer.begin([place]);
  const headers = { ce_id: 'zombie' };
  await producer.send([{ ...place, messages: [{ key: 'k', value: '{}', headers }] }]);
  return { producer, close: () => wire.close() };
}

describe('writers on Kafka', () => {
  it('leave one of two that open at once', async () => {
    const log = on.open();
    await log.identity();
    const outcomes = await Promise.allSettled(
      [1, 2].map(async (n) => (await log.writer('emitter')).append([event('orders', 'a', n)], { n })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readAll(log)).toHaveLength(1);
  });

  it('end what a killed one has left open', async () => {
    const log = on.open();
    await log.identity();
    const killed = await begun();
    const writer = await log.writer('emitter');
    await writer.append([event('orders', 'a', 1)], {});
    expect((await readAll(log)).map(({ id }) => id)).toEqual(['orders-1']);
    await expect(killed.producer.end('commit')).rejects.toMatchObject({ type: 'INVALID_PRODUCER_EPOCH' });
    await killed.close();
  });

  it('cannot commit after their transaction has timed out, with no other in sight', async () => {
    const log = on.open();
    await log.identity();
    const zombie = await begun();
    await sleep(13_000);
    await expect(zombie.producer.end('commit')).rejects.toThrow();
    expect(await readAll(log)).toEqual([]);
    await zombie.close();
  });

  it("name the producer whose open transaction hides the log's end, and go on when it has ended", async () => {
    const log = on.open();
    const writer = await log.writer('emitter');
    const foreign = on.client.producer({
      transactionalId: 'foreign',
      transactionTimeout: 60_000,
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await foreign.connect();
    const transaction = await foreign.transaction();
    await transaction.send({ topic: on.topic('orders'), messages: [{ key: 'k', value: 'v' }] });
    await expect(writer.append([event('orders', 'a', 1)], { position: '1' })).rejects.toMatchObject({
      code: 'BNY-LOG-HUNG',
      found: expect.stringMatching(/a transaction of producer \d+ is open in .*orders partition 0 since offset 0/),
    });
    await transaction.abort();
    await foreign.disconnect();
    // It was committed all the same: the checkpoint says so.
    expect((await log.writer('emitter')).checkpoint).toMatchObject({ state: { position: '1' } });
    expect((await readAll(log)).map(({ id }) => id)).toEqual(['orders-1']);
  });
});

/** On a busy machine a broker may take longer to come back than a log has patience. */
async function opened(log: EventLog): Promise<LogWriter> {
  for (;;) {
    try {
      return await log.writer('emitter');
    } catch (error) {
      expect(error).toMatchObject({ code: 'BNY-LOG-UNREACHABLE' });
    }
  }
}

describe('when the broker is killed', () => {
  it('during an append, its outcome is read back', async () => {
    const log = on.open();
    let writer = await log.writer('emitter');
    let acknowledged = 0;
    let restarts = 0;
    const killing = (async () => {
      for (const waitMs of [400, 900, 1300]) {
        await sleep(waitMs);
        await kafka.kill();
        await kafka.restart();
        restarts++;
      }
    })();
    while (restarts < 3) {
      const next = (writer.checkpoint?.state as { n: number } | undefined)?.n ?? 0;
      try {
        const events = [0, 1, 2].map((i) => event('orders', 'a', next + i));
        await writer.append(events, { n: next + 3 });
        acknowledged = next + 3;
      } catch (error) {
        expect(error).toMatchObject({ code: 'BNY-LOG-UNREACHABLE' });
        await writer.close();
        writer = await opened(log);
        expect((writer.checkpoint?.state as { n: number } | undefined)?.n ?? 0).toBeGreaterThanOrEqual(acknowledged);
      }
    }
    await killing;
    await writer.close();
    const ids = (await readAll(log)).map(({ id }) => id);
    expect(ids.length).toBeGreaterThanOrEqual(acknowledged);
    expect(ids).toEqual(ids.map((_, n) => `orders-${n}`));
  }, 120_000);

  it('readers go on by themselves', async () => {
    const log = on.open();
    const writer = await log.writer('emitter');
    await writer.append([event('orders', 'a', 0)], {});
    const stop = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const batch of log.read({ orders: [{ offset: -1, id: '' }] }, { signal: stop.signal })) {
        seen.push(...batch.map(({ id }) => id));
        if (seen.length === 2) stop.abort();
      }
    })();
    while (seen.length === 0) await sleep(20);
    await kafka.kill();
    await kafka.restart();
    await (await opened(log)).append([event('orders', 'a', 1)], {});
    await reading;
    expect(seen).toEqual(['orders-0', 'orders-1']);
  });

  it('a log that is closed, and whoever has given up, waits no longer', async () => {
    const [log, other] = [on.open(), on.open()];
    await (await log.writer('emitter')).append([event('orders', 'a', 0)], {});
    await other.identity();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const batch of log.read({ orders: [{ offset: -1, id: '' }] })) seen.push(...batch.map(({ id }) => id));
    })();
    while (seen.length === 0) await sleep(20);
    await kafka.kill();
    const waiting = [
      log.identity(),
      log.checkpoint('emitter'),
      log.writer('emitter'),
      log.post([event('orders', 'a', 1)]),
      log.post([event('orders', 'a', 2)]),
      other.writer('emitter', AbortSignal.abort()),
    ];
    const outcomes = Promise.all(waiting.map((each) => each.then(String, ({ code }) => code)));
    await log.close();
    await kafka.restart();
    expect(await outcomes).toEqual(waiting.map(() => 'BNY-LOG-UNREACHABLE'));
    await reading;
    expect(await readAll(other)).toHaveLength(1);
  });

  it('a post is written once', async () => {
    const log = on.open();
    await log.post([event('orders', 'a', 0)]);
    const killed = kafka.kill();
    const post = log.post([event('orders', 'a', 1)]);
    await killed;
    await kafka.restart();
    await post;
    expect((await readAll(log)).map(({ id }) => id)).toEqual(['orders-0', 'orders-1']);
  });
});

describe('a cluster that does not answer', () => {
  it.each(['writer', 'identity'] as const)(
    'is told of by %s, and ends no wait too late',
    async (method) => {
      const mute = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
      await new Promise((resolve) => mute.once('listening', resolve));
      const { port } = mute.address() as { port: number };
      const log = on.open({ brokers: [`127.0.0.1:${port}`] });
      await expect(log[method]('emitter')).rejects.toMatchObject({
        code: 'BNY-LOG-UNREACHABLE',
        found: expect.stringContaining(`127.0.0.1:${port}`),
      });
      mute.close();
    },
    120_000,
  );
});

it('leaves no connection behind when it is closed, also of requests that were first at once', async () => {
  const connections = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const before = connections();
  const writers = ['one', 'two', 'three', 'four'];
  const log = on.open({ writers });
  for (const id of writers) {
    const writer = await log.writer(id);
    await writer.append([], {});
    await writer.close();
  }
  for (let round = 0; round < 5; round++) {
    const fresh = on.open({ writers });
    await Promise.all(writers.map((id) => fresh.checkpoint(id)));
    await fresh.close();
  }
  await log.close();
  for (let tries = 0; connections() > before && tries < 100; tries++) await sleep(20);
  expect(connections()).toBe(before);
});
