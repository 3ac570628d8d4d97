import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Kafka, startKafka } from '../scripts/lib/kafka.ts';
import { createWorld, DOMAINS, running, type World } from '../scripts/lib/world.ts';
import { caughtUp, compareRoutes, everyRoute } from '../scripts/proof/routes.ts';

/** Step by step as docs/kafka.md has it, with everything that the log of a running site holds. */
describe('from the embedded log to Kafka', () => {
  let world: World;
  let kafka: Kafka;
  beforeAll(async () => {
    [world, kafka] = await Promise.all([createWorld({ posts: 50, claps: 200, seed: 3 }), startKafka()]);
  }, 240_000);
  afterAll(async () => {
    await world?.stop();
    await kafka?.stop();
  });

  const done = async (...args: string[]) => {
    const { code, stdout, stderr } = await world.banyan(...args);
    expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout;
  };

  it('goes on where it was, with the changes of the time between', async () => {
    await done('install', '--yes');
    world.up.start();
    await running(world);
    for (const domain of DOMAINS) await done('etl', domain, '--yes');
    await done('status', '--wait', '--timeout', '60');
    for (const domain of DOMAINS) await done('switch', domain, 'reads', '--yes');
    await world.up.kill('SIGTERM');
    Object.assign(world.env, { BANYAN_LOG_KIND: 'kafka', BANYAN_LOG_BROKERS: kafka.brokers });
    await world.database('members').where({ id: 1 }).update({ bio: 'written meanwhile' });
    await done('log', 'copy', '--to', 'kafka', '--yes');
    world.up.start();
    await running(world);
    await done('status', '--wait', '--timeout', '60');
    await world.database('members').where({ id: 2 }).update({ bio: 'written afterwards' });
    await caughtUp(world);
    const routes = await compareRoutes(world, await everyRoute(world, 50));
    expect(routes.different).toEqual([]);
    for (const domain of DOMAINS) await done('replay', domain, '--yes');
  }, 300_000);
});
