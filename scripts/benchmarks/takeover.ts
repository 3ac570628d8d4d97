import { setTimeout as sleep } from 'node:timers/promises';
import { consecutivePorts } from '../lib/ports.ts';
import { quantile } from '../lib/statistics.ts';
import { answers, createWorld, type Profile, type World } from '../lib/world.ts';
import { Browser } from '../traffic/http.ts';
import { atMost, type Benchmark, type Row, type Setting } from './types.ts';

const LIMIT_SECONDS = 5;
const WRITE_EVERY_MS = 10;
const PATIENCE_MS = 60_000;
/** Whoever was started again stands by until the next round. */
const SETTLE_MS = 1500;

const STORES: Record<string, Profile> = { sqlite: 'embedded', mysql: 'mysql-stores' };

/** From `kill -9` of the service that projects, under writes, until the other one shows a row that was written after it. */
export const takeover: Benchmark = async (setting) => {
  const rounds = setting.quick ? 3 : 20;
  const rows: Row[] = [];
  for (const [store, profile] of Object.entries(STORES)) {
    const seconds = await takeOvers(setting, profile, rounds);
    setting.say(`${store}: ${seconds.map((each) => each.toFixed(2)).join(', ')} s`);
    const figure = (name: string, value: number) => ({
      name: `take-over of a store in ${store}, ${name}`,
      value,
      unit: 's',
      reference: { name: 'bar', value: LIMIT_SECONDS },
    });
    rows.push(
      atMost(null, figure('p50', quantile(seconds, 0.5))),
      atMost(1, figure(`the slowest of ${rounds}`, Math.max(...seconds))),
    );
  }
  return { rows, notes: [`two services of one domain on this machine, one-row commits every ${WRITE_EVERY_MS} ms`] };
};

async function takeOvers({ workshop, say }: Setting, profile: Profile, rounds: number): Promise<number[]> {
  say(`starting ${profile}`);
  const world = await createWorld({ posts: 100, claps: 200, seed: 1, folder: workshop.path(profile), profile });
  workshop.defer(() => world.stop());
  const banyan = (...args: string[]) => workshop.node('cli/main.ts', args, { env: world.env });
  const ports = await consecutivePorts(2);
  const urlOf = (n: number) => `http://127.0.0.1:${ports[n]}`;
  const serve = async (n: number) => {
    const service = banyan('serve', 'profiles', '--port', String(ports[n]));
    await answers(`${urlOf(n)}/readyz`);
    return service;
  };
  await banyan('install', '--yes').output();
  const emitter = banyan('emit');
  await banyan('etl', 'profiles', '--yes').output();
  const services = [await serve(0), await serve(1)];
  const taken: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await sleep(SETTLE_MS);
    const [holder, other] = round % 2 === 0 ? [0, 1] : [1, 0];
    taken.push(await takeOver(world, urlOf(other), async () => services[holder]?.stop('SIGKILL')));
    services[holder] = await serve(holder);
  }
  for (const part of [...services, emitter]) await part.stop();
  return taken;
}

/** Seconds. */
async function takeOver(world: World, url: string, kill: () => Promise<unknown>): Promise<number> {
  const username = String(world.site.usernames[0]);
  const other = new Browser(url);
  let written = Date.now();
  let over = false;
  const writing = (async () => {
    for (; !over; await sleep(WRITE_EVERY_MS))
      await world
        .database('members')
        .where({ username })
        .update({ bio: String(++written) });
  })();
  const shown = async (after: number) => {
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(1)) {
      const answer = await other.send('GET', `/members/${username}`);
      if (Number((answer.body as { bio?: string }).bio) > after) return;
    }
    throw new Error(`${url} shows nothing of what is written`);
  };
  try {
    await shown(written);
    const [started, last] = [performance.now(), written];
    await kill();
    await shown(last);
    return (performance.now() - started) / 1000;
  } finally {
    over = true;
    await writing;
    other.close();
  }
}
