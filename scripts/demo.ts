import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import config from '../banyan.config.ts';
import { table } from '../cli/table.ts';
import { LagProbe } from './lib/lag-probe.ts';
import { killAgain, tallied } from './lib/parts.ts';
import { createWorld, DOMAINS, lastLines, PROFILES, type Profile, running, type World } from './lib/world.ts';
import { checkLog } from './proof/history.ts';
import { caughtUp, compareRoutes, everyRoute } from './proof/routes.ts';
import { differsFromTables } from './proof/tables.ts';
import { Traffic } from './traffic/traffic.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    json: { type: 'string' },
    seed: { type: 'string', default: '1' },
    profile: { type: 'string', default: 'embedded' },
  },
});
if (!(options.profile in PROFILES)) {
  process.stderr.write(
    `scripts/demo: found --profile ${options.profile}; needed: ${Object.keys(PROFILES).join(', ')}\n`,
  );
  process.exit(64);
}
const profile = options.profile as Profile;
const size = options.quick ? { posts: 2000, claps: 50_000 } : { posts: 20_000, claps: 500_000 };
const seed = Number(options.seed);
const stages: { name: string; ms: number }[] = [];
const killed: string[] = [];
/** Parts of `banyan up`, which starts them again. */
const PARTS = [
  ['the service of posts', 'serve posts', 'the monolith answered its reads, its projector went on at its cursors'],
  ['the emitter', 'emit', 'it went on at its checkpoint'],
  ['a processor', 'process notify-authors', 'it went on at its progress'],
] as const;

/** One stage of the story: a plain line with its figure, and its time. */
async function stage(name: string, work: () => Promise<string>): Promise<void> {
  const started = performance.now();
  const figure = await work();
  const ms = Math.round(performance.now() - started);
  stages.push({ name, ms });
  process.stdout.write(`${name.padEnd(34)} ${figure} (${(ms / 1000).toFixed(1)} s)\n`);
}

let world: World | undefined;
const etl = { rows: 0, rowsPerSecond: 0 };
try {
  await stage('a monolith with', async () => {
    world = await createWorld({ ...size, seed, profile });
    return `${size.posts} posts, ${size.claps} claps, ${world.site.usernames.length} members`;
  });
  process.exitCode = await tell(world as unknown as World);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
} finally {
  if (world && process.exitCode !== 0) {
    for (const output of ['monolith.out', 'banyan.out'])
      process.stderr.write(`\nThe end of ${output}:\n${lastLines(join(world.folder, output))}\n`);
  }
  if (world && options.keep && process.exitCode === 0) await keep(world);
  else await world?.stop();
  // Traffic that a failed stage left running must not keep the process.
  process.exit();
}

async function tell(world: World): Promise<number> {
  await stage(
    'banyan install',
    async () => `${done(await world.banyan('install', '--yes', '--json'))['done']} statements`,
  );
  if (world.connect) {
    await stage('banyan connector apply', async () => {
      done(await world.banyan('connector', 'apply', '--yes', '--json'));
      return 'Debezium follows the binlog';
    });
  }
  await stage('banyan up', async () => {
    world.up.start();
    await running(world);
    return 'emitter, 4 services and the router run';
  });
  const traffic = new Traffic({
    site: world.site,
    members: 8,
    password: world.password,
    pauseMs: options.quick ? 25 : 40,
    seed,
  });
  const probe = new LagProbe(world);
  await stage(
    'banyan doctor',
    async () => `${(done(await world.banyan('doctor', '--json'))['findings'] as unknown[]).length} findings`,
  );
  await seedAll(world);
  await stage('caught up', async () => {
    done(await world.banyan('status', '--wait', '--timeout', '60', '--json'));
    return 'every service has applied what the monolith has committed';
  });
  probe.start();
  await moveReads(world);
  await faults(world);
  await backAndForth(world);
  await stage('banyan replay, all four', async () => {
    for (const domain of DOMAINS) done(await world.banyan('replay', domain, '--yes', '--json'));
    return 'each rebuilt store equals its live one';
  });
  const lag = await probe.stop();
  await traffic.stop();
  return report(world, traffic, lag);
}

async function seedAll(world: World): Promise<void> {
  const started = performance.now();
  for (const domain of DOMAINS) {
    await stage(`banyan etl ${domain}`, async () => {
      const { rows } = done(await world.banyan('etl', domain, '--yes', '--json'));
      etl.rows += Number(rows);
      return `${rows} rows`;
    });
  }
  etl.rowsPerSecond = Math.round(etl.rows / ((performance.now() - started) / 1000));
}

async function moveReads(world: World): Promise<void> {
  for (const percent of ['10', '50', '100']) {
    await stage(`banyan switch … reads ${percent} %`, async () => {
      for (const domain of DOMAINS)
        done(await world.banyan('switch', domain, 'reads', '--percent', percent, '--yes', '--json'));
      await pause(options.quick ? 1500 : 5000);
      return 'all four domains';
    });
  }
}

async function faults(world: World): Promise<void> {
  for (const [name, part, figure] of PARTS) {
    await stage(`kill -9 of ${name}`, async () => {
      await killAgain(world, part);
      killed.push(part);
      await pause(options.quick ? 3000 : 6000);
      return figure;
    });
  }
  for (const [name, server] of Object.entries({ 'the broker': world.kafka, Connect: world.connect })) {
    if (!server) continue;
    await stage(`kill -9 of ${name}`, async () => {
      await server.kill();
      killed.push(name);
      await server.restart();
      await pause(options.quick ? 3000 : 6000);
      return 'the monolith answered what the services could not';
    });
  }
  await stage('caught up again', async () => {
    done(await world.banyan('status', '--wait', '--timeout', '100', '--json'));
    return 'nothing that failed has left anything behind';
  });
}

async function backAndForth(world: World): Promise<void> {
  await stage('banyan rollback claps reads', async () => {
    done(await world.banyan('rollback', 'claps', 'reads', '--yes', '--json'));
    await pause(1000);
    return 'reads are the monolith’s again';
  });
  await stage('banyan switch claps reads', async () => {
    done(await world.banyan('switch', 'claps', 'reads', '--yes', '--json'));
    await pause(1000);
    return 'and forward again';
  });
}

async function report(world: World, traffic: Traffic, lag: { p50Ms: number; p99Ms: number }): Promise<number> {
  let lost: string[] = [];
  let differences: string[] = [];
  await stage('at rest: log, stores, routes', async () => {
    await caughtUp(world);
    const log = await checkLog(world.config, traffic.ledger);
    const stores = (done(await world.banyan('status', '--json'))['domains'] as { domain: string; store: string }[]).map(
      async ({ domain, store }) => {
        const definition = config.domains.find(({ name }) => name === domain);
        if (!definition) throw new Error(domain);
        const found = await differsFromTables(definition, world.config, world.mariadb, store);
        return found.map((difference) => JSON.stringify(difference));
      },
    );
    lost = [...log.lost, ...log.outOfOrder, ...log.doubled, ...(await Promise.all(stores)).flat()];
    const { compared, different } = await compareRoutes(world, await everyRoute(world, options.quick ? 1000 : 4000));
    differences = different;
    return `${log.events} events, ${compared} routes compared on both sides`;
  });
  const { requests, failed, examples } = traffic.tally;
  const result = {
    requests,
    failed,
    writes: { acknowledged: traffic.ledger.writes, lost: lost.length },
    differences: differences.length,
    killed,
    etl,
    lag,
    stages,
  };
  const rows = [
    ['requests sent', String(requests)],
    ['failed', String(failed)],
    ['writes acknowledged', String(traffic.ledger.writes)],
    ['writes lost', String(lost.length)],
    ['differences', String(differences.length)],
    ['killed with -9', tallied(killed)],
    ['rows seeded', `${etl.rows} at ${etl.rowsPerSecond} rows/s`],
    ['commit to visible in a service', `p50 ${lag.p50Ms} ms, p99 ${lag.p99Ms} ms`],
  ];
  process.stdout.write(`\n${table(['WHAT', 'FIGURE'], rows)}\n`);
  for (const example of [...examples, ...lost.slice(0, 10), ...differences.slice(0, 10)])
    process.stdout.write(`  ${example}\n`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  return failed + lost.length + differences.length === 0 ? 0 : 1;
}

async function keep(world: World): Promise<void> {
  const variables = Object.entries(world.env).filter(([name]) => name.startsWith('BANYAN_'));
  process.stdout.write(`
Everything goes on running until you press Ctrl-C. To try in another terminal:

${variables.map(([name, value]) => `  export ${name}='${value}'`).join('\n')}
  scripts/banyan status
  scripts/banyan log tail posts
  scripts/banyan rollback posts reads
  curl -i ${world.urls.router}/posts
`);
  await new Promise<void>((resolve) => process.once('SIGINT', () => resolve()).once('SIGTERM', () => resolve()));
  await world.stop();
}

/** A command's JSON; a command that failed ends the demo. */
function done({ code, stderr, json }: Awaited<ReturnType<World['banyan']>>): Record<string, unknown> {
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}`);
  return json as Record<string, unknown>;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
