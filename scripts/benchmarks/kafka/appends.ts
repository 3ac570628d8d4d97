import kafkajs from 'kafkajs';
import { type NewEvent, openKafkaLog } from '../../../log/index.ts';
import { quantile } from '../../lib/statistics.ts';
import { atLeast, type Row } from '../types.ts';

const SIZES = [1, 10, 100, 1000];
const EVENT_BYTES = 500;

/** A writer's appends, beside transactions of kafkajs's own producer that only send the same bytes. */
export async function appends(brokers: string, quick: boolean): Promise<{ rows: Row[]; notes: string[] }> {
  const log = openKafkaLog({ brokers: [brokers], prefix: 'bench.', topics: { orders: {} }, writers: ['emitter'] });
  const writer = await log.writer('emitter');
  const bare = await producerOf(brokers);
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const size of SIZES) {
    const rounds = quick ? 20 : size === 1000 ? 100 : 300;
    const reference = await timed(rounds, size, (events) => bare.send(events));
    const own = await timed(rounds, size, (events) => writer.append(events, { position: 'p' }));
    rows.push(
      atLeast(null, {
        name: `append of ${size}`,
        value: own.rate,
        unit: 'events/s',
        reference: { name: 'kafkajs transaction', value: reference.rate },
      }),
    );
    const told = ({ p50, p99 }: Timing) => `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)} ms`;
    notes.push(`append of ${size}: ${told(own)}; kafkajs ${told(reference)}`);
  }
  await writer.close();
  await log.close();
  await bare.close();
  return { rows, notes: [...notes, 'an append returns when readers can see it; kafkajs when the commit is answered'] };
}

interface Timing {
  rate: number;
  p50: number;
  p99: number;
}

async function timed(rounds: number, size: number, append: (events: NewEvent[]) => Promise<unknown>): Promise<Timing> {
  const times: number[] = [];
  const started = performance.now();
  for (let round = 0; round < rounds; round++) {
    const events = Array.from({ length: size }, (_, i) => eventOf(round * size + i));
    const before = performance.now();
    await append(events);
    times.push(performance.now() - before);
  }
  const rate = ((rounds * size) / (performance.now() - started)) * 1000;
  return { rate, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

function eventOf(n: number): NewEvent {
  const time = '2026-01-01T00:00:00.000Z';
  const data = JSON.stringify({ n, text: 'x'.repeat(EVENT_BYTES) });
  return {
    topic: 'orders',
    key: `key-${n}`,
    id: `id-${n}`,
    type: 'Happened',
    version: 1,
    time,
    data,
    origin: 'bench',
    epoch: 0,
  };
}

/** With the settings that make its transactions follow each other fastest. */
async function producerOf(brokers: string) {
  const client = new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 'bare', numPartitions: 1 }] });
  await admin.disconnect();
  const retry = { initialRetryTime: 3, maxRetryTime: 1000, factor: 0.1, multiplier: 1.5, retries: 20 };
  const producer = client.producer({ transactionalId: 'bare', idempotent: true, maxInFlightRequests: 1, retry });
  await producer.connect();
  return {
    async send(events: NewEvent[]) {
      const transaction = await producer.transaction();
      const messages = events.map(({ key, data }) => ({ key, value: data }));
      await transaction.send({ topic: 'bare', messages });
      await transaction.commit();
    },
    close: () => producer.disconnect(),
  };
}
