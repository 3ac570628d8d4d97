import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { killPart } from '../../scripts/lib/parts.ts';
import { createWorld, running, type World } from '../../scripts/lib/world.ts';
import { caughtUp } from '../../scripts/proof/routes.ts';
import { ServiceAccount } from './service-account.ts';

interface Stand {
  processor: string;
  instances: number;
  lag: number | null;
  dead: number;
  problem: string | null;
}

describe('the processors of the example', () => {
  let world: World;
  const account = new ServiceAccount();
  beforeAll(async () => {
    world = await createWorld({ posts: 200, claps: 500, seed: 5 });
    process.env['SERVICE_ACCOUNT_PASSWORD'] = world.password;
    expect((await world.banyan('install', '--yes')).code).toBe(0);
    world.up.start();
    await running(world);
    await until('started', async () => (await stands()).every(({ lag, problem }) => lag !== null && problem === null));
    for (const name of ['profiles', 'publications']) expect((await world.banyan('etl', name, '--yes')).code).toBe(0);
    await caughtUp(world);
  }, 120_000);
  afterAll(() => world.stop());

  const stands = async () => ((await world.banyan('status', '--json')).json as { processors: Stand[] }).processors;
  const until = async (what: string, holds: () => boolean | Promise<boolean>) => {
    for (let tries = 0; !(await holds()); tries++) {
      if (tries === 150) throw new Error(`not in time: ${what}`);
      await sleep(200);
    }
  };
  const notifications = () => {
    const file = String(world.env['NOTIFICATIONS_FILE']);
    try {
      return readFileSync(file, 'utf8').split('\n').filter(Boolean);
    } catch {
      return [];
    }
  };
  const asAdmin = async (method: string, path: string) => {
    const response = await account.send(world.urls.router, method, path, AbortSignal.timeout(10_000));
    expect({ path, status: response.status }).toMatchObject({ status: 200 });
  };
  const pendingOf = (author: number) =>
    world.database('submissions').where({ author_id: author, status: 'pending' }).pluck('id') as Promise<number[]>;
  const submit = async (author: number) => {
    const [id = 0] = await world.database('submissions').insert({
      publication_id: 1,
      post_id: 1,
      author_id: author,
      status: 'pending',
      submitted_at: '2026-01-01 00:00:00',
    });
    return id;
  };
  const idle = () => until('nothing left', async () => (await stands()).every(({ lag }) => lag === 0));

  it('say nothing of what a seed has read', async () => {
    await idle();
    expect(notifications()).toEqual([]);
    const suspended = world.database('members').select('id').where({ status: 'suspended' });
    expect((await stands()).map(({ dead }) => dead)).toEqual([0, 0, 0]);
    expect(await suspended).not.toEqual([]);
  }, 60_000);

  it('withdraw what of a suspended member waits for a decision, by the router, and nothing else', async () => {
    await submit(7);
    await submit(7);
    await submit(8);
    const others = await pendingOf(8);
    await asAdmin('POST', '/members/7/suspend');
    await until('withdrawn', async () => (await pendingOf(7)).length === 0);
    expect(await pendingOf(8)).toEqual(others);
  }, 60_000);

  it('notify an author once, whatever is killed and replayed', async () => {
    const id = await submit(9);
    await world.database('submissions').where({ id }).update({ status: 'refused', decided_at: '2026-01-02 00:00:00' });
    await until('notified', () => notifications().length === 1);
    expect(notifications()[0]).toMatch(/^\S+\tmember 9: your post 1 was refused$/);
    expect(killPart(world, 'process notify-authors')).toBe(true);
    expect((await world.banyan('replay', 'publications', '--yes')).code).toBe(0);
    const second = await submit(10);
    await world
      .database('submissions')
      .where({ id: second })
      .update({ status: 'refused', decided_at: '2026-01-02 00:00:00' });
    await until('taken over', () => notifications().length === 2);
    await idle();
    expect(notifications().map((line) => line.split('\t')[1])).toEqual([
      'member 9: your post 1 was refused',
      'member 10: your post 1 was refused',
    ]);
  }, 60_000);

  it('place a post that is accepted where nobody has placed it, by the router', async () => {
    const placed = async () => (await world.database('posts').where({ id: 1 }).first('publication_id')).publication_id;
    await world.database('posts').where({ id: 1 }).update({ publication_id: null, status: 'published' });
    const id = await submit(11);
    await world.database('submissions').where({ id }).update({ status: 'accepted', decided_at: '2026-01-02 00:00:00' });
    await until('placed', async () => (await placed()) === 1);
  }, 60_000);

  it('refuse what is none of them, and have no dead letters to show or replay', async () => {
    for (const args of [
      ['process', 'nobody'],
      ['dead', 'list', 'nobody'],
      ['dead', 'show', 'notify-authors', 'x'],
    ])
      expect((await world.banyan(...args)).code).toBe(64);
    const list = await world.banyan('dead', 'list', 'notify-authors', '--json');
    expect(list).toMatchObject({ code: 0, json: { letters: [] } });
    expect((await world.banyan('dead', 'replay', 'notify-authors', '--yes')).code).toBe(0);
  }, 60_000);
});
