import { type ChildProcess, execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../cli/config/load.ts';
import type { Config } from '../../cli/config/schema.ts';
import { connect } from '../../monolith/database.ts';
import { fill, PASSWORD } from '../../monolith/fill.ts';
import { createSchema } from '../../monolith/schema.ts';
import { grantsFor } from '../../services/kit/store/mysql/grants.ts';
import type { Site } from '../traffic/member.ts';
import { type Connect, startConnect } from './connect.ts';
import { type Kafka, startKafka } from './kafka.ts';
import { type Mariadb, startMariadb } from './mariadb.ts';
import { consecutivePorts } from './ports.ts';
import { spawnBound } from './spawn.ts';

/** The example, running: MariaDB, the filled monolith, and Banyan on free ports in a folder of its own. */
export interface World {
  folder: string;
  mariadb: Mariadb;
  database: ReturnType<typeof connect>;
  site: Site;
  password: string;
  profile: Profile;
  /** What the command line reads, for those who open log and stores themselves. */
  config: Config;
  urls: { monolith: string; router: string; admin: string; services: Record<string, string> };
  /** Environment that makes the command line work on this world. */
  env: NodeJS.ProcessEnv;
  monolith: Part;
  /** Where the log is on Kafka. */
  kafka: Kafka | undefined;
  /** Where Debezium captures. */
  connect: Connect | undefined;
  /** `banyan up`. */
  up: Part;
  /** Runs a command to its end. */
  banyan(...args: string[]): Promise<CommandResult>;
  stop(): Promise<void>;
}

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
  /** The last line of stdout as JSON, if it is. */
  json: unknown;
}

/** A process that can be started and killed again. */
export interface Part {
  pid: number | undefined;
  start(): void;
  kill(signal: NodeJS.Signals): Promise<void>;
}

export interface WorldOptions {
  posts: number;
  claps: number;
  seed: number;
  /** Kept when given. */
  folder?: string;
  profile?: Profile;
}

/** Which adapters Banyan runs on. */
export const PROFILES = {
  embedded: { source: 'binlog', log: 'sqlite', store: 'sqlite' },
  'mysql-stores': { source: 'binlog', log: 'sqlite', store: 'mysql' },
  'binlog-kafka': { source: 'binlog', log: 'kafka', store: 'sqlite' },
  kafka: { source: 'debezium', log: 'kafka', store: 'mysql' },
} as const;
export type Profile = keyof typeof PROFILES;

/** In the order in which the configuration lists them. */
export const DOMAINS = ['profiles', 'posts', 'claps', 'publications'];

/** When it fails, nothing is left behind. */
export async function createWorld({
  posts,
  claps,
  seed,
  folder: given,
  profile = 'embedded',
}: WorldOptions): Promise<World> {
  await using made = new AsyncDisposableStack();
  const folder = given ?? (await mkdtemp(join(tmpdir(), 'banyan-world-')));
  if (!given) made.defer(() => rm(folder, { recursive: true, force: true }));
  mkdirSync(folder, { recursive: true });
  const mariadb = await startMariadb({ folder: join(folder, 'mariadb') });
  made.defer(() => mariadb.stop());
  const kafka = PROFILES[profile].log === 'kafka' ? await startKafka({ folder: join(folder, 'kafka') }) : undefined;
  made.defer(() => kafka?.stop());
  const connector =
    kafka && PROFILES[profile].source === 'debezium' ? await startConnect({ brokers: kafka.brokers }) : undefined;
  made.defer(() => connector?.stop());
  const stores = PROFILES[profile].store === 'mysql' ? await startStores(join(folder, 'stores')) : undefined;
  made.defer(() => stores?.stop());
  const { host, port, user, password } = mariadb;
  const database = connect({ host, port, user, password, database: 'monolith' });
  made.defer(() => database.destroy());
  const env = { ...(await environmentFor(mariadb, folder)), ...environmentOf(kafka, connector, stores) };
  await createDatabase(mariadb);
  await createSchema(database);
  await fill(database, { posts, claps, seed, until: new Date() });
  const urls = urlsOf(env);
  const monolith = part(join(folder, 'monolith.out'), ['monolith/main.ts'], env);
  made.defer(() => monolith.kill('SIGKILL'));
  const up = part(join(folder, 'banyan.out'), ['cli/main.ts', 'up'], env);
  made.defer(() => up.kill('SIGTERM'));
  monolith.start();
  await answers(`${urls.monolith}/healthz`).catch((error: Error) => {
    throw new Error(`${error.message}: ${lastLines(join(folder, 'monolith.out'))}`);
  });
  const site = await siteOf(database, urls.router, posts);
  const kept = made.move();
  return {
    folder,
    profile,
    config: await loadConfig(undefined, env),
    mariadb,
    kafka,
    connect: connector,
    database,
    site,
    password: PASSWORD,
    urls,
    env,
    monolith,
    up,
    banyan: (...args) => runBanyan(args, env),
    stop: () => kept.disposeAsync(),
  };
}

/** The end of what a part has written; of one that has not started nothing. */
export function lastLines(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(-20).join('\n') : '';
}

async function environmentFor(mariadb: Mariadb, folder: string): Promise<NodeJS.ProcessEnv> {
  const ports = await consecutivePorts(4 + DOMAINS.length);
  const [monolith, router, admin, firstService] = ports.map(String) as [string, string, string, string];
  return {
    ...process.env,
    DATABASE_HOST: mariadb.host,
    DATABASE_PORT: String(mariadb.port),
    DATABASE_USER: mariadb.user,
    DATABASE_PASSWORD: mariadb.password,
    DATABASE_NAME: 'monolith',
    PORT: monolith,
    SERVICE_ACCOUNT_PASSWORD: PASSWORD,
    NOTIFICATIONS_FILE: join(folder, 'notifications.txt'),
    BANYAN_DATA: join(folder, 'banyan'),
    BANYAN_MONOLITH_URL: `http://127.0.0.1:${monolith}`,
    BANYAN_MONOLITH_DATABASE_PORT: String(mariadb.port),
    BANYAN_MONOLITH_DATABASE_PASSWORD: 'a password for banyan',
    BANYAN_MONOLITH_HANDBACK_PASSWORD: 'a password for the handback',
    BANYAN_ROUTER_PORT: router,
    BANYAN_ROUTER_ADMIN_PORT: admin,
    BANYAN_SERVICES_FIRST_PORT: firstService,
    BANYAN_SECRET: randomBytes(32).toString('base64url'),
    BANYAN_LOG_LEVEL: process.env['BANYAN_LOG_LEVEL'] ?? 'warn',
  };
}

const STORES = { user: 'banyan_stores', password: 'a password for the stores', prefix: 'banyan_' };

/** A server for the stores alone, with the account that they need. */
async function startStores(folder: string): Promise<Mariadb> {
  const server = await startMariadb({ folder });
  const { host, port, user, password } = server;
  const root = connect({ host, port, user, password, database: 'mysql' });
  for (const sql of grantsFor(STORES)) await root.raw(sql);
  await root.destroy();
  return server;
}

function environmentOf(
  kafka: Kafka | undefined,
  connect: Connect | undefined,
  stores: Mariadb | undefined,
): NodeJS.ProcessEnv {
  return {
    ...(kafka && { BANYAN_LOG_KIND: 'kafka', BANYAN_LOG_BROKERS: kafka.brokers }),
    ...(connect && { BANYAN_SOURCE_KIND: 'debezium', BANYAN_SOURCE_CONNECT_URL: connect.url }),
    ...(stores && {
      BANYAN_SERVICES_STORE_KIND: 'mysql',
      BANYAN_SERVICES_STORE_HOST: stores.host,
      BANYAN_SERVICES_STORE_PORT: String(stores.port),
      BANYAN_SERVICES_STORE_PASSWORD: STORES.password,
    }),
  };
}

function urlsOf(env: NodeJS.ProcessEnv): World['urls'] {
  const at = (port: string | undefined, plus = 0) => `http://127.0.0.1:${Number(port) + plus}`;
  return {
    monolith: at(env['PORT']),
    router: at(env['BANYAN_ROUTER_PORT']),
    admin: at(env['BANYAN_ROUTER_ADMIN_PORT']),
    services: Object.fromEntries(DOMAINS.map((name, i) => [name, at(env['BANYAN_SERVICES_FIRST_PORT'], i)])),
  };
}

async function createDatabase({ host, port, user, password }: Mariadb): Promise<void> {
  const server = connect({ host, port, user, password, database: 'mysql' });
  await server.raw('CREATE DATABASE IF NOT EXISTS monolith CHARACTER SET utf8mb4');
  await server.destroy();
}

async function siteOf(database: World['database'], origin: string, posts: number): Promise<Site> {
  return {
    origin,
    posts,
    publications: await database('publications').orderBy('id').pluck('slug'),
    tags: await database('post_tags').distinct('tag').orderBy('tag').pluck('tag'),
    usernames: await database('members').orderBy('id').pluck('username'),
  };
}

function part(output: string, args: string[], env: NodeJS.ProcessEnv): Part {
  let child: ChildProcess | undefined;
  return {
    get pid() {
      return child?.pid;
    },
    start() {
      const out = openSync(output, 'a');
      child = spawnBound([process.execPath, ...args], { env, stdio: ['ignore', out, out] });
      closeSync(out);
    },
    async kill(signal) {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child?.once('exit', resolve));
      child.kill(signal);
      await gone;
    },
  };
}

/** Runs a command to its end, or for two minutes. */
export function runBanyan(args: readonly string[], env: NodeJS.ProcessEnv): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['cli/main.ts', ...args],
      { env, maxBuffer: 64_000_000, timeout: 120_000 },
      (error, stdout, stderr) => {
        process.off('exit', killAtExit);
        const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
        resolve({ code, stdout, stderr, json: parse(stdout.trimEnd().split('\n').at(-1) ?? '') });
      },
    );
    const killAtExit = () => child.kill('SIGKILL');
    process.on('exit', killAtExit);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Waits until router and services answer and the emitter has its first checkpoint: from there on nothing is missed. */
export async function running(world: World): Promise<void> {
  await answers(`${world.urls.router}/healthz`);
  for (const url of Object.values(world.urls.services)) await answers(`${url}/livez`);
  for (let tries = 0; tries < 100; tries++) {
    const { json } = await world.banyan('status', '--json');
    if ((json as { emitter: { problem: string | null } } | undefined)?.emitter.problem === null) return;
    await sleep(200);
  }
  throw new Error('the emitter gives no sign of life');
}

/** Waits until something answers HTTP there. */
export async function answers(url: string, timeoutMs = 30_000): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; ; ) {
    const ok = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    if (Date.now() > deadline) throw new Error(`${url} does not answer`);
    await sleep(50);
  }
}
