import { fromStart, openSqliteLog, type Topics } from '../../log/index.ts';
import type { Projection } from '../../services/kit/projection.ts';
import { Projector } from '../../services/kit/projector/projector.ts';
import { SqliteStore } from '../../services/kit/store/sqlite/store.ts';
import { projection as posts } from '../../services/posts/projection.ts';
import { readings } from './shop/domains.ts';

/** Builds a store from a log as `banyan replay` does: the projector first, the indexes behind it. */
export interface ReplayOptions {
  log: string;
  topics: Topics;
  projection: 'posts' | 'readings';
  store: string;
}

export interface ReplayResult {
  events: number;
  seconds: number;
  indexSeconds: number;
  cpuSeconds: number;
  peakRssMb: number;
}

const PROJECTIONS: Record<ReplayOptions['projection'], Projection> = { posts, readings: readings.projection };

const options = JSON.parse(process.argv[2] ?? '') as ReplayOptions;
const projection = PROJECTIONS[options.projection];
const log = openSqliteLog({ file: options.log, topics: options.topics });
const partitions = Object.fromEntries(
  projection.topics.map((topic) => [topic, options.topics[topic]?.partitions ?? 1]),
);
const store = new SqliteStore({
  file: options.store,
  projection,
  logIdentity: await log.identity(),
  partitions,
  indexesLater: true,
});
const until = await log.ends(Object.keys(fromStart(projection.topics, options.topics)));
let events = 0;
const started = performance.now();
await new Projector({ log, projection, store, until, onProgress: (progress) => (events = progress.events) }).run(
  new AbortController().signal,
);
const projected = performance.now();
const { user, system } = process.cpuUsage();
await store.createIndexes();
const indexed = performance.now();
await store.close();
await log.close();
const result: ReplayResult = {
  events,
  seconds: (projected - started) / 1000,
  indexSeconds: (indexed - projected) / 1000,
  cpuSeconds: (user + system) / 1e6,
  peakRssMb: process.resourceUsage().maxRSS / 1024,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
