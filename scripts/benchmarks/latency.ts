import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import config from '../../banyan.config.ts';
import { topicsOf } from '../../cli/config/adapters.ts';
import { FIRST_STORE } from '../../log/index.ts';
import { quantile } from '../lib/statistics.ts';
import { answers, createWorld, type World } from '../lib/world.ts';
import { DONE, type PollerData } from './latency-poller.ts';
import { LogWatch } from './shop/log-watch.ts';
import { switching } from './switching.ts';
import { atMost, type Benchmark, type Row } from './types.ts';

const EVERY_MS = 20;
const LIMIT_MS = { idle: 20, seeding: 50 };
/** After the last commit. */
const PATIENCE_MS = 10_000;

/** One commit. */
interface Sample {
  /** When it was acknowledged, in ms since the epoch. */
  at: number;
  /** From then until the store showed it. */
  ms: number;
}

/** From the reply to a commit until the service's store shows it, with everything running as `banyan up` runs it. */
export const latency: Benchmark = async ({ workshop, quick, say }) => {
  const claps = quick ? 50_000 : 300_000;
  say(`filling the example: 2000 posts, ${claps} claps`);
  const world = await createWorld({ posts: 2000, claps, seed: 1, folder: workshop.path('world') });
  workshop.defer(() => world.stop());
  // Not the world's own way to run commands: they must end with the workshop.
  const banyan = (...args: string[]) => workshop.node('cli/main.ts', args, { env: world.env }).output();
  await banyan('install', '--yes');
  world.up.start();
  for (const url of Object.values(world.urls.services)) await answers(`${url}/livez`);
  for (const domain of ['profiles', 'posts', 'publications']) await banyan('etl', domain, '--yes');
  say('committing while claps are seeded');
  const seeding = await whileSeeding(world, () => banyan('etl', 'claps', '--yes'));
  await banyan('status', '--wait', '--timeout', '120');
  await sleep(SETTLE_MS);
  say('committing with nothing else to do');
  const idle = await measure(world, () => sleep(quick ? 4000 : 30_000));
  const rows = [
    ...rowsOf('seeded, idle', idle, LIMIT_MS.idle),
    ...rowsOf('while an ETL runs', seeding, LIMIT_MS.seeding),
    ...(await switching(world)),
  ];
  return {
    rows,
    notes: [
      `one-row commits every ${EVERY_MS} ms: ${idle.length} idle, ${seeding.length} while ${claps} claps are seeded`,
      `worst: ${worst(idle)} ms idle, ${worst(seeding)} ms while an ETL runs`,
      'emitter, four services, router and monolith run on this machine, as `banyan up` starts them',
    ],
  };
};

function worst(samples: readonly Sample[]): string {
  return Math.max(...samples.map(({ ms }) => ms)).toFixed(1);
}

function rowsOf(when: string, samples: readonly Sample[], limitMs: number): Row[] {
  const figure = (share: number) => ({
    name: `commit to visible, p${share * 100}, ${when}`,
    value: quantile(
      samples.map(({ ms }) => ms),
      share,
    ),
    unit: 'ms',
    reference: { name: 'bar', value: limitMs },
  });
  return [atMost(null, figure(0.5)), atMost(1, figure(0.99))];
}

/** Only what is committed between the request and the record that the domain is seeded. */
async function whileSeeding(world: World, seed: () => Promise<unknown>): Promise<Sample[]> {
  const samples = await measure(world, seed);
  const watch = new LogWatch(join(String(world.env['BANYAN_DATA']), 'log.sqlite'), topicsOf(config));
  const [asked = 0, seeded = 0] = await watch.times('EtlRequested', 'DomainSeeded');
  await watch.close();
  return samples.filter(({ at }) => at >= asked && at <= seeded);
}

/** A store counts as caught up while it lags by some seconds. */
const SETTLE_MS = 12_000;

/** Commits a change of one row every 20 ms while `meanwhile` runs. */
async function measure(world: World, meanwhile: () => Promise<unknown>): Promise<Sample[]> {
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
async function commits(connection: Connection, id: number, over: () => boolean): Promise<Acknowledged[]> {
  const committed: Acknowledged[] = [];
  const started = performance.now();
  while (!over() && committed.length < MAX_COMMITS) {
    await connection.execute('UPDATE members SET bio = ? WHERE id = ?', [String(committed.length), id]);
    committed.push({ at: Date.now(), clock: now() });
    const wait = started + committed.length * EVERY_MS - performance.now();
    if (wait > 0) await sleep(wait);
  }
  return committed;
}

const MAX_COMMITS = 100_000;

interface Acknowledged {
  at: number;
  /** On the clock that all threads share. */
  clock: number;
}

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
    async finish(committed: readonly Acknowledged[]): Promise<Sample[]> {
      const last = committed.length - 1;
      for (const deadline = Date.now() + PATIENCE_MS; seen[last] === 0; await sleep(20)) {
        if (Date.now() > deadline) throw new Error('the last commit was not seen in the store');
      }
      // The store may show a commit before its client has the reply.
      return committed.map(({ at, clock }, n) => ({ at, ms: Math.max(0, (seen[n] as number) - clock) }));
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
