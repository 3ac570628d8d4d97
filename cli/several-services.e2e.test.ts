import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import config from '../banyan.config.ts';
import { FIRST_STORE } from '../log/index.ts';
import { type Running, startBanyan } from '../scripts/lib/parts.ts';
import { consecutivePorts } from '../scripts/lib/ports.ts';
import { answers, createWorld, DOMAINS, type Profile, type World } from '../scripts/lib/world.ts';
import { differsFromTables } from '../scripts/proof/tables.ts';

const STANDS_BY = 'another instance projects into this store';
const PROJECTS_NOW = 'this instance projects into the store now';

interface Read {
  status: number;
  behind: string | null;
  bio: number;
}

const isRefused = ({ status, behind }: Read) => status !== 200 || behind !== null;

function lastSaid(service: Running, store: string): string | undefined {
  const lines = service
    .output()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  return lines.findLast((line) => line.store === store && [STANDS_BY, PROJECTS_NOW].includes(line.msg))?.msg;
}

/** Two real services of one domain, with the emitter and nothing else; the steps build on each other. */
describe.each<[string, Profile]>([
  ['in a file', 'embedded'],
  ['on a server', 'mysql-stores'],
])('services that share a store %s', (_, profile) => {
  let world: World;
  let ports: number[];
  let store: string = FIRST_STORE;
  let written = 0;
  const services: Running[] = [];
  const others: Running[] = [];

  const start = (n: number) => {
    const env = { ...world.env, BANYAN_LOG_LEVEL: 'info' };
    services[n] = startBanyan(['serve', 'profiles', '--port', String(ports[n])], env);
    return answers(`${urlOf(n)}/readyz`);
  };
  const service = (n: number) => services[n] as Running;
  const urlOf = (n: number) => `http://127.0.0.1:${ports[n]}`;
  const until = async (what: string, holds: () => boolean | Promise<boolean>) => {
    for (let tries = 0; !(await holds()); tries++) {
      if (tries === 900) throw new Error(`not in time: ${what}`);
      await sleep(50);
    }
  };
  /** Who projects into the live store, by what each has said last. */
  const projecting = () => [0, 1].filter((n) => lastSaid(service(n), store) !== STANDS_BY);
  const member = (n: number) => `${urlOf(n)}/members/${world.site.usernames[0]}`;
  const write = (text: string) => world.database('members').where({ id: 1 }).update({ bio: text });
  const shows = (n: number, text: string) => async () =>
    ((await (await fetch(member(n))).json()) as { bio?: string }).bio === text;
  const banyan = async (...args: string[]) => {
    const result = await world.banyan(...args);
    expect(result).toMatchObject({ code: 0 });
  };
  /** The live store against the tables, and against one that is built anew. */
  const isWhole = async () => {
    const profiles = config.domains.find(({ name }) => name === 'profiles');
    if (!profiles) throw new Error('no profiles');
    expect(await differsFromTables(profiles, world.config, world.mariadb, store)).toEqual([]);
    await banyan('replay', 'profiles', '--yes');
    store = String(Number(store) + 1);
  };

  /** Writes one number after the other and reads at a service all the while. */
  function traffic(at: number) {
    const seen: Read[] = [];
    let over = false;
    const writing = (async () => {
      for (; !over; await sleep(5)) await write(String(++written));
    })();
    const reading = (async () => {
      for (; !over; await sleep(5)) {
        const response = await fetch(member(at));
        const { bio } = (await response.json()) as { bio?: string };
        seen.push({ status: response.status, behind: response.headers.get('banyan-behind'), bio: Number(bio) });
      }
    })();
    return {
      seen,
      newest: () => seen.at(-1)?.bio ?? 0,
      async stop() {
        over = true;
        await Promise.all([writing, reading]);
      },
    };
  }

  beforeAll(async () => {
    world = await createWorld({ posts: 30, claps: 50, seed: 6, profile });
    ports = await consecutivePorts(2);
    await banyan('install', '--yes');
    others.push(startBanyan(['emit'], world.env));
    services.push(startBanyan(['serve', 'profiles'], world.env));
    // Its store has rows of each.
    for (const topic of DOMAINS) await banyan('etl', topic, '--yes');
    await answers(`${world.urls.services['profiles']}/readyz`);
    await service(0).stop();
    await start(0);
    await start(1);
  }, 120_000);
  afterAll(async () => {
    for (const part of [...services, ...others]) await part.stop('SIGKILL');
    await world.stop();
  });

  it('are projected by one; all answer reads', async () => {
    expect(projecting()).toEqual([0]);
    await write('0');
    for (const n of [0, 1]) await until(`shown by ${n}`, shows(n, '0'));
    expect(projecting()).toEqual([0]);
  });

  it('go on when the one that projects is killed: nothing is lost or doubled, and reads are answered all the while', async () => {
    const { seen, newest, stop } = traffic(1);
    await until('traffic', () => newest() > 50);
    await service(0).stop('SIGKILL');
    const at = written;
    await until('a take-over', () => newest() > at);
    await start(0);
    expect(projecting()).toEqual([1]);
    await until('more traffic', () => newest() > at + 100);
    await stop();
    for (const n of [0, 1]) await until(`all shown by ${n}`, shows(n, String(written)));
    expect(seen.filter(isRefused)).toEqual([]);
    expect(seen.map(({ bio }) => bio)).toEqual(seen.map(({ bio }) => bio).toSorted((a, b) => a - b));
    await isWhole();
  }, 120_000);

  it('keep to one projector when that is paused and wakes again', async () => {
    // Of two that rebuild a store at once one does it.
    await until('one projector', () => projecting().length === 1);
    const [paused, other] = projecting()[0] === 0 ? [0, 1] : [1, 0];
    const { seen, newest, stop } = traffic(other);
    service(paused).signal('SIGSTOP');
    if (profile === 'mysql-stores') {
      await until('a take-over', () => lastSaid(service(other), store) === PROJECTS_NOW);
      const at = written;
      await until('writes of the other', () => newest() > at);
    } else {
      // The system keeps the lock for who is only paused: until it wakes the store grows old.
      await sleep(3000);
    }
    service(paused).signal('SIGCONT');
    const at = written;
    await until('writes after it woke', () => newest() > at + 50);
    await stop();
    for (const n of [0, 1]) await until(`all shown by ${n}`, shows(n, String(written)));
    expect(projecting()).toEqual([profile === 'mysql-stores' ? other : paused]);
    expect(seen.filter(isRefused)).toEqual([]);
    await isWhole();
  }, 120_000);
});
