import { setTimeout as sleep } from 'node:timers/promises';
import { LagProbe } from '../../lib/lag-probe.ts';
import { pidOfPart } from '../../lib/parts.ts';
import { createWorld, DOMAINS, type Profile, running, type World } from '../../lib/world.ts';
import { usageOf } from '../machine.ts';
import { atMost, type Row, type Setting } from '../types.ts';

const LIMIT_MS = 100;

/** From a commit until a service shows it by HTTP, with the whole example running; and what that costs while nothing happens. */
export async function visible(
  { workshop, quick, say }: Setting,
  profile: Profile,
): Promise<{ rows: Row[]; notes: string[] }> {
  say(`commit to visible, profile ${profile}`);
  const world = await createWorld({ posts: 500, claps: 2000, seed: 1, folder: workshop.path(profile), profile });
  workshop.defer(() => world.stop());
  const must = async (...args: string[]) => {
    const { code, stderr } = await world.banyan(...args);
    if (code !== 0) throw new Error(`banyan ${args.join(' ')}: ${stderr}`);
  };
  await must('install', '--yes');
  if (world.connect) await must('connector', 'apply', '--yes');
  world.up.start();
  await running(world);
  for (const domain of DOMAINS) await must('etl', domain, '--yes');
  await must('status', '--wait', '--timeout', '60');
  const idle = await cpuOf(world, quick ? 2 : 15);
  const probe = new LagProbe(world);
  probe.start();
  await sleep(quick ? 5000 : 30_000);
  const { p50Ms, p99Ms } = await probe.stop();
  await world.stop();
  const figure = (name: string, value: number) => ({
    name: `${profile}: visible, ${name}`,
    value,
    unit: 'ms',
    reference: { name: 'bar', value: LIMIT_MS },
  });
  return {
    rows: [atMost(null, figure('p50', p50Ms)), atMost(1, figure('p99', p99Ms))],
    notes: [`${profile}, idle: ${idle.map(([name, share]) => `${name} ${share.toFixed(1)} %`).join(', ')} of a core`],
  };
}

/** Percent of a core, by process. */
async function cpuOf(world: World, seconds: number): Promise<[name: string, share: number][]> {
  const processes: [string, number][] = [
    ['emitter', pidOfPart(world, 'emit')],
    ['one service', pidOfPart(world, `serve ${DOMAINS[0]}`)],
    ['router', pidOfPart(world, 'router')],
    ['broker', world.kafka?.pid],
    ['Connect', world.connect?.pid],
  ].filter((each): each is [string, number] => each[1] !== undefined);
  const before = processes.map(([, pid]) => usageOf(pid).cpuSeconds);
  await sleep(seconds * 1000);
  return processes.map(([name, pid], i) => [name, (100 * (usageOf(pid).cpuSeconds - (before[i] as number))) / seconds]);
}
