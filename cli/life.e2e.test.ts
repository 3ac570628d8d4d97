import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import config from '../banyan.config.ts';
import { killPart, startBanyan } from '../scripts/lib/parts.ts';
import { answers, createWorld, runBanyan, type World } from '../scripts/lib/world.ts';
import { checkLog } from '../scripts/proof/history.ts';
import { caughtUp, compareRoutes, everyRoute } from '../scripts/proof/routes.ts';
import { differsFromTables } from '../scripts/proof/tables.ts';
import { Browser } from '../scripts/traffic/http.ts';
import { Ledger } from '../scripts/traffic/ledger.ts';

/** The life of a domain on real processes, step by step; the steps build on each other. */
describe('a domain’s life', () => {
  let world: World;
  const banyan = async (...args: string[]) => {
    const result = await world.banyan(...args);
    expect({ code: result.code, stderr: result.stderr }).toMatchObject({ code: 0 });
    return result;
  };
  const statusOf = async (name: string) => {
    const { json } = await world.banyan('status', '--json');
    const { domains } = json as {
      domains: {
        domain: string;
        seeded: string;
        reads: number;
        store: string;
        problem: string | null;
        next: string;
      }[];
    };
    return domains.find(({ domain }) => domain === name);
  };
  const servedBy = async (path: string) =>
    (await fetch(world.urls.router + path)).headers.get('banyan-served-by') ?? '';
  const until = async (what: string, holds: () => Promise<boolean>) => {
    for (let tries = 0; !(await holds()); tries++) {
      if (tries === 150) throw new Error(`not in time: ${what}`);
      await sleep(200);
    }
  };
  /** Every command that cannot go on with a parked domain says that it is parked, and the cure. */
  const parkedIsSaidEverywhere = async (name: string) => {
    for (const args of [
      ['etl', name, '--yes'],
      ['replay', name, '--yes'],
      ['status', '--wait'],
    ]) {
      const { code, stderr } = await world.banyan(...args);
      expect({ args, code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining('description') });
      expect(stderr).toContain(`banyan resume ${name}`);
    }
    const doctor = await world.banyan('doctor', '--json');
    expect(doctor).toMatchObject({ code: 1, stdout: expect.stringContaining(`domain ${name}`) });
  };
  const storeDiffers = async (name: string) => {
    const domain = config.domains.find((candidate) => candidate.name === name);
    if (!domain) throw new Error(name);
    return differsFromTables(domain, world.config, world.mariadb, String((await statusOf(name))?.store));
  };

  beforeAll(async () => {
    world = await createWorld({ posts: 300, claps: 6000, seed: 3 });
    await banyan('install', '--yes');
    world.up.start();
    await answers(`${world.urls.router}/healthz`);
  }, 120_000);
  afterAll(() => world.stop());

  it('pauses a seed, says why nothing moves, and lets it go on', async () => {
    await banyan('etl', 'profiles', '--yes');
    await banyan('etl', 'publications', '--yes');
    await banyan('etl', 'posts', '--yes');
    await banyan('etl', 'claps', '--chunk', '10', '--yes', '--detach');
    await banyan('etl', 'claps', '--pause');
    await until('paused', async () => (await statusOf('claps'))?.seeded.includes('paused') ?? false);
    const { seeded } = (await statusOf('claps')) ?? { seeded: '' };
    await sleep(1500);
    expect((await statusOf('claps'))?.seeded).toBe(seeded);
    const follower = startBanyan(['etl', 'claps'], world.env);
    await until('said how it goes on', async () => follower.output().includes('banyan etl claps --resume'));
    await sleep(3000);
    await follower.stop();
    expect(follower.output().match(/--resume/g)).toHaveLength(1);
    const { stdout } = await banyan('etl', 'claps', '--resume', '--chunk', '2000');
    expect(stdout).toContain('claps: seeded');
    await banyan('status', '--wait', '--timeout', '30');
    expect(await storeDiffers('claps')).toEqual([]);
  }, 120_000);

  it('answers from the services what the monolith answers, on every route', async () => {
    for (const domain of ['profiles', 'posts', 'claps', 'publications'])
      await banyan('switch', domain, 'reads', '--yes');
    await caughtUp(world);
    const { compared, different } = await compareRoutes(world, await everyRoute(world, 1000));
    expect(different).toEqual([]);
    expect(compared).toBeGreaterThan(1000);
  }, 120_000);

  it('moves reads without dropping a request, and soon after the control record', async () => {
    const sides = new Set<string>();
    let failed = 0;
    const stop = new AbortController();
    const readers = Array.from({ length: 6 }, async () => {
      const browser = new Browser(world.urls.router);
      while (!stop.signal.aborted) {
        const answer = await browser.send('GET', '/posts/1').catch(() => undefined);
        if (answer?.status !== 200) failed++;
        sides.add(String(answer?.headers['banyan-served-by']).split(';')[0] as string);
      }
      browser.close();
    });
    for (const percent of ['0', '50', '100', '20', '100'])
      await banyan('switch', 'posts', 'reads', '--percent', percent, '--yes');
    stop.abort();
    await Promise.all(readers);
    expect(failed).toBe(0);
    expect(new Set(sides)).toEqual(new Set(['monolith', 'service']));
  }, 120_000);

  it('goes on without a word when a column is added that no capture reads', async () => {
    await world.database.raw('ALTER TABLE members ADD COLUMN shoe_size INT NULL');
    await world.database('members').where({ id: 2 }).update({ bio: 'after the ALTER', shoe_size: 43 });
    await caughtUp(world);
    expect((await statusOf('profiles'))?.problem).toBeNull();
    expect(await storeDiffers('profiles')).toEqual([]);
  }, 60_000);

  it('parks the domain whose captured column is dropped, and no other; its reads go back', async () => {
    await world.database.raw('ALTER TABLE publications DROP COLUMN description');
    await world.database('publications').where({ id: 1 }).update({ name: 'Without description' });
    await until(
      'publications parked',
      async () => (await statusOf('publications'))?.problem?.includes('description') ?? false,
    );
    await until('reads back', async () => (await servedBy('/publications')).startsWith('monolith'));
    await world.database('claps').where({ member_id: 3 }).update({ count: 9 });
    await caughtUp(world, ['claps']);
    expect(await storeDiffers('claps')).toEqual([]);
    await parkedIsSaidEverywhere('publications');
    const { code, stderr } = await world.banyan('resume', 'publications', '--yes');
    expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining('no column `description`') });
    await world.database.raw('ALTER TABLE publications ADD COLUMN description TEXT NULL AFTER name');
    const again = await world.banyan('resume', 'publications', '--yes');
    expect(again.code).toBe(3);
    const { stdout } = await banyan('resume', 'publications', '--reseed', '--yes');
    expect(stdout).toContain('by itself');
    await until('seeded anew', async () => (await statusOf('publications'))?.seeded === 'yes');
    await caughtUp(world);
    expect(await storeDiffers('publications')).toEqual([]);
    await until('reads forward', async () => (await servedBy('/publications')).startsWith('service'));
  }, 120_000);

  it('parks after a TRUNCATE, and a reseed leaves no row that is gone', async () => {
    await world.database.raw('TRUNCATE TABLE claps');
    await world.database('claps').insert({ member_id: 2, post_id: 1, count: 7, updated_at: '2026-01-01 00:00:00' });
    await until('claps parked', async () => (await statusOf('claps'))?.problem?.includes('truncate') ?? false);
    const plain = await world.banyan('resume', 'claps', '--yes');
    expect(plain.code).toBe(3);
    expect(plain.stderr).toContain('--reseed');
    await banyan('resume', 'claps', '--reseed', '--yes');
    await until('seeded anew', async () => (await statusOf('claps'))?.seeded === 'yes');
    await caughtUp(world);
    for (const name of ['claps', 'posts', 'profiles']) expect(await storeDiffers(name)).toEqual([]);
  }, 120_000);

  it('seeds a domain anew that is not parked, and tells nobody to lower its percentage', async () => {
    const { stdout } = await banyan('resume', 'claps', '--reseed', '--yes', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ seeding: true, next_steps: ['banyan status --wait'] });
    await until('seeded anew', async () => (await statusOf('claps'))?.seeded === 'yes');
    await caughtUp(world);
    expect(await storeDiffers('claps')).toEqual([]);
    expect(await statusOf('claps')).toMatchObject({ reads: 100, next: '' });
  }, 60_000);

  it('flips to a rebuilt store and back again', async () => {
    await banyan('replay', 'posts', '--yes');
    expect((await statusOf('posts'))?.store).toBe('2');
    await world.database('posts').where({ id: 1 }).update({ title: 'written after the replay' });
    await caughtUp(world);
    await banyan('replay', 'posts', '--undo', '--yes');
    expect((await statusOf('posts'))?.store).toBe('1');
    await caughtUp(world);
    expect(await storeDiffers('posts')).toEqual([]);
  }, 60_000);

  it('flips nothing when the rebuilt store differs, and names the row', async () => {
    await sleep(1000);
    const file = join(world.env['BANYAN_DATA'] as string, 'stores', `profiles.1.sqlite`);
    const store = new Database(file);
    store.prepare("UPDATE members SET name = 'meddled with' WHERE id = 5").run();
    store.close();
    const { code, stdout } = await world.banyan('replay', 'profiles', '--yes');
    expect(code).toBe(2);
    expect(stdout).toContain('"key":[5]');
    expect(stdout).toContain(`delete ${file}, ${file}-wal`);
    expect((await statusOf('profiles'))?.store).toBe('1');
  }, 60_000);

  it('lets a second emitter take over from one that is paused and cut off, and does nothing twice when that wakes', async () => {
    const first = killPart(world, 'emit', 'SIGSTOP');
    const [[{ holder }]] = await world.database.raw("SELECT IS_USED_LOCK('banyan.emitter') AS holder");
    await world.database.raw('KILL ?', [holder]);
    const second = startBanyan(['emit'], { ...world.env, BANYAN_LOG_LEVEL: 'info' });
    await until('taken over', async () => second.output().includes('has taken over'));
    await world.database('members').where({ id: 4 }).update({ bio: 'while one sleeps' });
    await caughtUp(world);
    expect(first).toBe(true);
    killPart(world, 'emit', 'SIGCONT');
    for (let i = 0; i < 20; i++)
      await world
        .database('members')
        .where({ id: 4 })
        .update({ bio: `now two are awake ${i}` });
    await sleep(1000);
    await second.stop();
    await world.database('members').where({ id: 4 }).update({ bio: 'one again' });
    await caughtUp(world);
    expect(await storeDiffers('claps')).toEqual([]);
    expect(await checkLog(world.config, new Ledger())).toMatchObject({ doubled: [] });
  }, 60_000);

  it('keeps a second emitter waiting until the first has ended', async () => {
    const second = startBanyan(['emit'], { ...world.env, BANYAN_LOG_LEVEL: 'info' });
    await until('waiting', async () => second.output().includes('waiting for its end'));
    expect(second.output()).not.toContain('has taken over');
    await world.up.kill('SIGTERM');
    await until('taken over', async () => second.output().includes('has taken over'));
    const early = await world.banyan('uninstall', '--yes');
    expect(early).toMatchObject({ code: 3, stderr: expect.stringContaining('banyan rollback posts reads') });
    await second.stop();
  }, 60_000);

  it('shows no emitter as live that has signed off, and no domain as well', async () => {
    const { code, stdout, json } = await world.banyan('status', '--json');
    expect({ code, stdout }).toMatchObject({ code: 2 });
    const { emitter, domains } = json as { emitter: { problem: string }; domains: { problem: string }[] };
    expect(emitter.problem).toContain('signed off');
    expect(domains.map(({ problem }) => problem.includes('emitter'))).toEqual([true, true, true, true]);
  });

  it('saves the log while it is there, event for event', async () => {
    const copy = join(world.folder, 'copy', 'log.sqlite');
    mkdirSync(join(world.folder, 'copy'));
    await banyan('log', 'backup', copy);
    const stats = async (data: string) =>
      (await runBanyan(['log', 'stats', '--json'], { ...world.env, BANYAN_DATA: data })).json;
    expect(await stats(join(world.folder, 'copy'))).toEqual(await stats(world.env['BANYAN_DATA'] as string));
  }, 60_000);
});
