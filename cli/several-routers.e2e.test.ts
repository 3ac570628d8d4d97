import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Running, startBanyan } from '../scripts/lib/parts.ts';
import { consecutivePorts } from '../scripts/lib/ports.ts';
import { answers, createWorld, DOMAINS, running, type World } from '../scripts/lib/world.ts';
import { caughtUp } from '../scripts/proof/routes.ts';
import { Browser } from '../scripts/traffic/http.ts';

/** `banyan up`, and a second router on the same log and configuration. */
describe('two routers', () => {
  let world: World;
  let second: Running;
  let origins: [string, string];

  const banyan = async (...args: string[]) => expect(await world.banyan(...args)).toMatchObject({ code: 0 });
  const sides = (cookie = '') =>
    Promise.all(
      origins.map(async (origin) => {
        const response = await fetch(`${origin}/members`, { headers: { cookie } });
        await response.arrayBuffer();
        return response.headers.get('banyan-served-by')?.split(';')[0];
      }),
    );
  const untilBoth = async (side: string, cookie = () => '') => {
    for (let tries = 0; (await sides(cookie())).some((each) => each !== side); tries++) {
      if (tries === 100) throw new Error(`not in time: both at the ${side}`);
      await sleep(50);
    }
  };

  beforeAll(async () => {
    world = await createWorld({ posts: 30, claps: 50, seed: 8 });
    await banyan('install', '--yes');
    world.up.start();
    const [port, adminPort] = (await consecutivePorts(2)).map(String);
    second = startBanyan(['router'], { ...world.env, BANYAN_ROUTER_PORT: port, BANYAN_ROUTER_ADMIN_PORT: adminPort });
    origins = [world.urls.router, `http://127.0.0.1:${port}`];
    await running(world);
    await answers(`${origins[1]}/healthz`);
    for (const topic of DOMAINS) await banyan('etl', topic, '--yes');
    await caughtUp(world);
  }, 120_000);
  afterAll(async () => {
    await second.stop('SIGKILL');
    await world.stop();
  });

  it('follow every switch of reads, there and back', async () => {
    await untilBoth('monolith');
    await banyan('switch', 'profiles', 'reads', '--yes');
    await untilBoth('service');
    await banyan('rollback', 'profiles', 'reads', '--yes');
    await untilBoth('monolith');
  }, 60_000);

  it('send a session to the same side while only a share of them has moved', async () => {
    await banyan('switch', 'profiles', 'reads', '--percent', '50', '--yes');
    await untilBoth('service', () => `sid=session-${Math.random()}`);
    const seen = new Set<string | undefined>();
    for (let n = 0; n < 40; n++) {
      const [one, other] = await sides(`sid=session-${n}`);
      expect(other).toBe(one);
      seen.add(one);
    }
    expect(seen).toEqual(new Set(['monolith', 'service']));
  }, 60_000);

  it('show a client its own writes, whichever of the two it comes to', async () => {
    await banyan('switch', 'profiles', 'reads', '--yes');
    await untilBoth('service');
    const username = String(world.site.usernames[1]);
    const browser = new Browser(...origins);
    expect(await browser.send('POST', '/login', { username, password: world.password })).toMatchObject({ status: 204 });
    const servedBy = new Set<string>();
    for (let n = 0; n < 60; n++) {
      // Three requests a round: a write comes to the one router, then to the other.
      expect(await browser.send('PATCH', '/members/me', { bio: `written ${n}` })).toMatchObject({ status: 200 });
      for (const pauseMs of [0, n % 2 === 0 ? 100 : 0]) {
        await sleep(pauseMs);
        const { body, headers } = await browser.send('GET', `/members/${username}`);
        expect(body).toMatchObject({ bio: `written ${n}` });
        servedBy.add(String(headers['banyan-served-by']).split(';')[0] ?? '');
      }
    }
    browser.close();
    expect(servedBy).toContain('service');
  }, 60_000);
});
