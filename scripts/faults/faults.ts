import { setTimeout as sleep } from 'node:timers/promises';
import { killAgain, startBanyan, tallied } from '../lib/parts.ts';
import { consecutivePorts } from '../lib/ports.ts';
import { answers, createWorld, DOMAINS, type Profile, running, type World } from '../lib/world.ts';
import { checkLog } from '../proof/history.ts';
import { checkNotifications, decideSubmissions } from '../proof/notifications.ts';
import { caughtUp, compareRoutes, everyRoute } from '../proof/routes.ts';
import { differsFromTables } from '../proof/tables.ts';
import { Traffic } from '../traffic/traffic.ts';
import { type Parts, partOf, planOf, type Target } from './plan.ts';

export interface FaultOptions {
  profile: Profile;
  rounds: number;
  seed: number;
  timeLimitMs: number;
  say(line: string): void;
}

export interface Verdict {
  name: string;
  ok: boolean;
  found: string;
}

/**
 * Mixed traffic, and again and again a process killed with SIGKILL at a random moment: while the domains are seeded,
 * while reads move, while everything runs. At the end what was acknowledged is held against the log and the stores.
 */
export async function faults({ profile, rounds, seed, timeLimitMs, say }: FaultOptions): Promise<Verdict[]> {
  const world = await createWorld({ posts: 1000, claps: 20_000, seed, profile });
  const started = Date.now();
  let second: Second | undefined;
  try {
    await must(world, 'install', '--yes');
    if (world.connect) await must(world, 'connector', 'apply', '--yes');
    world.up.start();
    await running(world);
    second = await startSecond(world);
    const traffic = new Traffic({ site: world.site, members: 10, password: world.password, pauseMs: 25, seed });
    // Seeds run while the kills go on; reads move as soon as they are through.
    const moving = moveReads(world, say);
    const over = new AbortController();
    const deciding = decideSubmissions(world, over.signal);
    // Awaited below: until then its failure must not end the process.
    moving.catch(() => undefined);
    const killed: string[] = [];
    const replays: Promise<unknown>[] = [];
    for (const { afterMs, target } of planOf(seed, rounds, partsOf(world))) {
      if (Date.now() - started > timeLimitMs) break;
      await sleep(afterMs);
      await kill(world, second, target, replays);
      killed.push(partOf(target));
      if (killed.length % 10 === 0)
        say(
          `${killed.length} kills, ${traffic.tally.requests} requests, ${traffic.tally.failed} cut off by them, ${traffic.ledger.writes} writes acknowledged`,
        );
    }
    await moving;
    await Promise.all(replays);
    await sleep(2000);
    await traffic.stop();
    over.abort();
    const decided = await deciding;
    await caughtUp(world);
    return await judge(world, traffic, killed, decided);
  } finally {
    await second?.stop();
    await world.stop();
  }
}

function partsOf({ config, kafka, connect }: World): Parts {
  return {
    domains: DOMAINS,
    doubled: DOUBLED,
    processors: config.processors.map(({ name }) => name),
    servers: [...(kafka ? (['kafka'] as const) : []), ...(connect ? (['connect'] as const) : [])],
  };
}

/** Of this domain a second service runs beside `banyan up`: now the one projects, now the other. */
const DOUBLED = 'posts';

interface Second {
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it again whenever it has ended, as `banyan up` does with its own. */
async function startSecond(world: World): Promise<Second> {
  const [port] = await consecutivePorts(1);
  const start = () => startBanyan(['serve', DOUBLED, '--port', String(port)], world.env);
  let service = start();
  let over = false;
  const kept = (async () => {
    for (;;) {
      await service.ended;
      await sleep(RESTART_MS);
      if (over) return;
      service = start();
    }
  })();
  await answers(`http://127.0.0.1:${port}/livez`);
  return {
    kill: () => service.stop('SIGKILL'),
    async stop() {
      over = true;
      await service.stop('SIGKILL');
      await kept;
    },
  };
}

const RESTART_MS = 200;

async function kill(world: World, second: Second, target: Target, replays: Promise<unknown>[]): Promise<void> {
  if (target === 'up') {
    await world.up.kill('SIGKILL');
    world.up.start();
  } else if (target === 'mariadb' || target === 'kafka' || target === 'connect') {
    await world[target]?.kill();
    await world[target]?.restart();
  } else if (target.startsWith('second ')) {
    await second.kill();
  } else if (target.startsWith('replay ')) {
    // Refused before the domain is seeded: then its service is killed without one.
    const domain = target.slice('replay '.length);
    replays.push(world.banyan('replay', domain, '--yes'));
    await sleep(REPLAY_MS);
    await killAgain(world, `serve ${domain}`);
  } else await killAgain(world, target);
}

/** About the time in which the command starts and the service has built a part of the store. */
const REPLAY_MS = 700;

/** Each takes more than a second: only a seed that does not go on any more needs so many. */
const SEED_TRIES = 300;

async function moveReads(world: World, say: FaultOptions['say']): Promise<void> {
  for (const domain of DOMAINS) {
    // The request stands in the log: whoever is killed, the seed goes on; only the following may break off.
    for (let tries = 0; (await statusOf(world, domain))?.seeded !== 'yes'; tries++) {
      if (tries > SEED_TRIES) throw new Error(`${domain} is never seeded`);
      await world.banyan('etl', domain, '--yes', '--detach');
      await sleep(500);
    }
    say(`${domain} is seeded`);
  }
  for (const domain of DOMAINS) {
    for (let tries = 0; ; tries++) {
      const { code, stderr } = await world.banyan('switch', domain, 'reads', '--yes');
      if (code === 0) break;
      // A guard may refuse while a service is down; after a minute it means something.
      if (tries > 60) throw new Error(`reads of ${domain} do not move: ${stderr}`);
      await sleep(1000);
    }
    say(`reads of ${domain} have moved`);
  }
}

interface DomainStatus {
  domain: string;
  seeded: string;
  store: string;
}

/** Undefined while the log cannot be read. */
async function statusOf(world: World, domain: string): Promise<DomainStatus | undefined> {
  const { json } = await world.banyan('status', '--json');
  return (json as { domains: DomainStatus[] } | undefined)?.domains.find((entry) => entry.domain === domain);
}

async function judge(world: World, traffic: Traffic, killed: readonly string[], decided: number): Promise<Verdict[]> {
  const { default: config } = await import('../../banyan.config.ts');
  const log = await checkLog(world.config, traffic.ledger);
  const verdicts: Verdict[] = [
    none('no acknowledged write is lost to the log', log.lost),
    none('no event stands in the log twice', log.doubled),
    none('each aggregate keeps its order', log.outOfOrder),
  ];
  for (const domain of config.domains) {
    const store = String((await statusOf(world, domain.name))?.store);
    const found = await differsFromTables(domain, world.config, world.mariadb, store);
    verdicts.push(
      none(
        `the store of ${domain.name} equals the tables`,
        found.map((difference) => JSON.stringify(difference)),
      ),
    );
    const { code, stdout, stderr } = await world.banyan('replay', domain.name, '--yes');
    verdicts.push({
      name: `the store of ${domain.name} equals its replay`,
      ok: code === 0,
      found: (stdout || stderr).trim(),
    });
  }
  const routes = await compareRoutes(world, await everyRoute(world, 200));
  verdicts.push(none('both sides answer alike', routes.different));
  verdicts.push(none('each decision has notified its author once', await checkNotifications(world)));
  const { requests, failed } = traffic.tally;
  verdicts.push({
    name: 'the run was one',
    ok: killed.length > 0 && traffic.ledger.writes > 0 && decided > 0,
    found: `${killed.length} kills (${tallied(killed)}), ${requests} requests, ${failed} cut off by them, ${traffic.ledger.writes} writes acknowledged, ${decided} decisions, ${log.events} events`,
  });
  return verdicts;
}

function none(name: string, found: readonly string[]): Verdict {
  return {
    name,
    ok: found.length === 0,
    found: found.length === 0 ? 'none' : `${found.length}: ${found.slice(0, 5).join(' | ')}`,
  };
}

async function must(world: World, ...args: string[]): Promise<void> {
  const { code, stderr } = await world.banyan(...args);
  if (code !== 0) throw new Error(`banyan ${args.join(' ')} failed: ${stderr}`);
}
