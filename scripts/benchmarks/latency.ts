import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { FIRST_STORE } from '../../log/index.ts';
import { answers, createWorld, type World } from '../lib/world.ts';
import { DONE, type PollerData } from './latency-poller.ts';
import { quantile } from './statistics.ts';
import { atMost, type Benchmark } from './types.ts';

const EVERY_MS = 20;
const LIMIT_MS = { idle: 20, seeding: 50 };
/** After the last commit. */
const PATIENCE_MS = 10_000;

/** From the reply to a commit until the service's store shows it, with everything running as `banyan up` runs it. */
export const latency: Benchmark = async ({ workshop, quick, say }) => {
  const claps = quick ? 50_000 : 300_000;
  say(`filling the example: 2000 posts, ${claps} claps`);
  const world = await createWorld({ posts: 2000, claps, seed: 1, folder: workshop.path('world') });
  workshop.defer(() => world.stop());
  await command(world, 'install', '--yes');
  world.up.start();
  for (const url of Object.values(world.urls.services)) await answers(`${url}/livez`);
  for (const domain of ['profiles', 'posts', 'publications']) await command(world, 'etl', domain, '--yes');
  say('committing while claps are seeded');
  const seeding = await whileSeeding(world);
  await caughtUp(world);
  say('committing with nothing else to do');
  const idle = await measure(world, () => sleep(quick ? 4000 : 30_000));
  const rows = [
    ...rowsOf('seeded, idle', idle, LIMIT_MS.idle),
    ...rowsOf('while an ETL runs', seeding, LIMIT_MS.seeding),
  ];
  return {
    rows,
    notes: [
      `one-row commits every ${EVERY_MS} ms: ${idle.length} idle, ${seeding.length} while ${claps} claps are seeded`,
      `worst: ${Math.max(...idle).toFixed(1)} ms idle, ${Math.max(...seeding).toFixed(1)} ms while an ETL runs`,
      'emitter, four services, router and monolith run on this machine, as `banyan up` starts them',
    ],
  };
};

function rowsOf(when: string, samples: readonly number[], limitMs: number) {
  const figure = (share: number) => ({
    name: `commit to visible, p${share * 100}, ${when}`,
    value: quantile(samples, share),
    unit: 'ms',
    reference: { name: 'bar', value: limitMs },
  });
  return [atMost(null, figure(0.5)), atMost(1, figure(0.99))];
}

async function command(world: World, ...args: string[]): Promise<void> {
  const { code, stderr } = await world.banyan(...args);
  if (code !== 0) throw new Error(`banyan ${args.join(' ')} ended with ${code}: ${stderr}`);
}

async function whileSeeding(world: World): Promise<number[]> {
  return measure(world, () => command(world, 'etl', 'claps', '--yes'));
}

/** Waits until every store is complete up to a moment ago. */
async function caughtUp(world: World): Promise<void> {
  for (const deadline = Date.now() + 120_000; Date.now() < deadline; await sleep(500)) {
    const { json } = await world.banyan('status', '--json');
    const { domains } = json as { domains: { lagSeconds: number | null }[] };
    if (domains.every(({ lagSeconds }) => lagSeconds !== null && lagSeconds < LAG_SECONDS)) return;
  }
  throw new Error('the services did not catch up');
}

/** The heartbeat is written once a second, and told twice a second. */
const LAG_SECONDS = 3;

/** Commits a change of one row every 20 ms while `meanwhile` runs; returns how long each took to be seen, in ms. */
async function measure(world: World, meanwhile: () => Promise<unknown>): Promise<number[]> {
  const { host, port, user, password } = world.mariadb;
  const connection = await mysql.createConnection({ host, port, user, password, database: 'monolith' });
  const [[member]] = (await connection.query<RowDataPacket[]>('SELECT MAX(id) AS id FROM members')) as unknown as [
    [{ id: number }],
  ];
  const poller = await startPoller(world, Number(member.id));
  try {
    let over = false;
    const running = meanwhile().finally(() => {
      over = true;
    });
    const committed = await commits(connection, Number(member.id), () => over);
    await running;
    return await poller.finish(committed);
  } finally {
    connection.destroy();
    await poller.stop();
  }
}

/** Commits on a schedule that no slow answer moves; returns when each was acknowledged. */
async function commits(connection: Connection, id: number, over: () => boolean): Promise<number[]> {
  const committed: number[] = [];
  const started = performance.now();
  while (!over() && committed.length < MAX_COMMITS) {
    await connection.execute('UPDATE members SET bio = ? WHERE id = ?', [String(committed.length), id]);
    committed.push(now());
    const wait = started + committed.length * EVERY_MS - performance.now();
    if (wait > 0) await sleep(wait);
  }
  return committed;
}

const MAX_COMMITS = 100_000;

async function startPoller(world: World, id: number) {
  const seen = new Float64Array(new SharedArrayBuffer(8 * MAX_COMMITS));
  const state = new Int32Array(new SharedArrayBuffer(4));
  const store = join(String(world.env['BANYAN_DATA']), 'stores', `profiles.${FIRST_STORE}.sqlite`);
  const data: PollerData = { store, id, seen, state };
  const worker = new Worker(new URL('./latency-poller.ts', import.meta.url), { workerData: data });
  const failed = new Promise<never>((_, reject) => worker.once('error', reject));
  failed.catch(() => undefined);
  await Promise.race([failed, new Promise((resolve) => worker.once('message', resolve))]);
  return {
    /** Waits for the last one to be seen. */
    async finish(committed: readonly number[]): Promise<number[]> {
      const last = committed.length - 1;
      for (const deadline = Date.now() + PATIENCE_MS; seen[last] === 0; await sleep(20)) {
        if (Date.now() > deadline) throw new Error('the last commit was not seen in the store');
      }
      // The store may show a commit before its client has the reply.
      return committed.map((at, n) => Math.max(0, (seen[n] as number) - at));
    },
    async stop() {
      Atomics.store(state, 0, DONE);
      await worker.terminate();
    },
  };
}

/** Milliseconds on a clock that all threads share. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
