import { initialState } from '../../cdc/emitter/state.ts';
import { openSqliteLog, topicsFor } from '../../log/index.ts';
import { projection } from '../../services/posts/projection.ts';
import { median, spread } from '../lib/statistics.ts';
import type { InsertsOptions, InsertsResult } from './inserts-process.ts';
import { logEvent, replayEvents } from './replay-events.ts';
import type { ReplayOptions, ReplayResult } from './replay-process.ts';
import { atLeast, type Benchmark } from './types.ts';

const TOPICS = topicsFor(Object.fromEntries(projection.topics.map((topic) => [topic, {}])));

/** The best figure that anyone has published for rebuilding an SQL projection: 11.8 k, 11 k, 8.7 k events/s. */
const PUBLISHED = { name: 'best published rebuild', value: 11_000 };

/** The posts' store from a log, beside a loop that inserts the same rows from memory. */
export const replay: Benchmark = async ({ workshop, quick, say }) => {
  const events = quick ? 50_000 : 500_000;
  const file = workshop.path('log.sqlite');
  say(`writing a log of ${events} events`);
  const bytes = await writeLog(file, events);
  const rates: number[] = [];
  const bare: number[] = [];
  const results: ReplayResult[] = [];
  for (let run = 1; run <= 3; run++) {
    const inserts: InsertsOptions = { store: workshop.path(`bare-${run}.sqlite`), events };
    const reference = workshop.node('scripts/benchmarks/inserts-process.ts', [JSON.stringify(inserts)]);
    bare.push(events / (JSON.parse(await reference.output()) as InsertsResult).seconds);
    const options: ReplayOptions = {
      log: file,
      topics: TOPICS,
      projection: 'posts',
      store: workshop.path(`store-${run}.sqlite`),
    };
    const measured = workshop.node('scripts/benchmarks/replay-process.ts', [JSON.stringify(options)], {
      profiled: true,
    });
    const result = JSON.parse(await measured.output()) as ReplayResult;
    if (result.events !== events) throw new Error(`replayed ${result.events} events, needed ${events}`);
    results.push(result);
    rates.push(events / result.seconds);
    say(`run ${run}: ${Math.round(rates.at(-1) ?? 0)} events/s, bare inserts ${Math.round(bare.at(-1) ?? 0)} rows/s`);
  }
  const figure = { name: 'events into a store', value: median(rates), unit: 'events/s' };
  const cpu = median(results.map(({ cpuSeconds }) => (cpuSeconds / events) * 1e6));
  return {
    rows: [
      atLeast(0.25, { ...figure, reference: { name: 'bare better-sqlite3 inserts', value: median(bare) } }),
      atLeast(10, { ...figure, reference: PUBLISHED }),
    ],
    notes: [
      `${events} events of ${Math.round(bytes / events)} B of data, one post to nine claps; medians of 3 runs`,
      `replay ${spread(rates)} events/s; bare ${spread(bare)} rows/s`,
      `indexes afterwards ${median(results.map(({ indexSeconds }) => indexSeconds)).toFixed(1)} s; CPU ${cpu.toFixed(1)} µs an event`,
    ],
  };
};

/** Returns the bytes of all data. */
async function writeLog(file: string, count: number): Promise<number> {
  const log = openSqliteLog({ file, topics: TOPICS });
  const writer = await log.writer('emitter');
  const state = initialState(projection.topics);
  let bytes = 0;
  let n = 0;
  let batch = [];
  for (const event of replayEvents(count)) {
    const made = logEvent(event, n++);
    bytes += made.data.length;
    batch.push(made);
    if (batch.length < 500) continue;
    await writer.append(batch, state);
    batch = [];
  }
  await writer.append(batch, state);
  await log.close();
  return bytes;
}
