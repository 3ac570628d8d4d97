import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs, { type Admin } from 'kafkajs';
import type { Config } from '../cli/config/schema.ts';
import { controlEvent } from '../log/index.ts';
import { createWorld, runBanyan, type World } from '../scripts/lib/world.ts';
import { openLog } from './config/adapters.ts';

/** Whatever is wrong with the profile or with the topics: found, needed and cure, the exit code, and nothing lost. */
describe('bad input on Kafka', () => {
  let world: World;
  let client: kafkajs.Kafka;
  let logs = 0;

  beforeAll(async () => {
    world = await createWorld({ posts: 5, claps: 5, seed: 1, profile: 'kafka' });
    expect((await world.banyan('install', '--yes')).code).toBe(0);
    client = new kafkajs.Kafka({ brokers: [world.kafka?.brokers ?? ''], logLevel: kafkajs.logLevel.NOTHING });
  }, 240_000);
  afterAll(() => world?.stop());

  type Env = Record<string, string | undefined>;
  const run = (env: Env, ...args: string[]) => runBanyan(args, { ...world.env, ...env });

  /** Exit code, and found, needed and cure as they are told to scripts. */
  async function refusal(env: Env, ...args: string[]) {
    const { code, stdout, stderr } = await run(env, ...args, '--json');
    const line = stderr.split('\n').find((each) => each.startsWith('{"error"')) ?? '{}';
    const { error } = JSON.parse(line) as { error?: { code: string; found: string; needed: string; cure: string } };
    return { exit: code, stdout, error };
  }

  const refused = (code: string, found: RegExp) => ({
    exit: 1,
    error: {
      code,
      found: expect.stringMatching(found),
      needed: expect.stringMatching(/./),
      cure: expect.stringMatching(/./),
    },
  });

  async function admin<T>(action: (admin: Admin) => Promise<T>): Promise<T> {
    const opened = client.admin();
    await opened.connect();
    return action(opened).finally(() => opened.disconnect());
  }

  /** A log of its own, beside the others on the same brokers; two switches stand in it. */
  async function newLog(): Promise<{ env: Env; config: Config; prefix: string }> {
    const prefix = `log${++logs}.`;
    const config: Config = { ...world.config, log: { ...world.config.log, prefix } };
    const log = await openLog(config);
    for (const revision of [0, 1]) {
      await log.post([controlEvent('ReadsSwitched', { domain: 'posts', percent: 10, revision }, 'test')]);
    }
    await log.close();
    return { env: { BANYAN_LOG_PREFIX: prefix }, config, prefix };
  }

  /** The number of events in each topic of each log. */
  const contents = () =>
    admin(async (opened) => {
      const topics = (await opened.listTopics()).filter((topic) => topic.startsWith('log'));
      return new Map(
        await Promise.all(topics.map(async (topic) => [topic, await opened.fetchTopicOffsets(topic)] as const)),
      );
    });

  const SASL = { BANYAN_LOG_SASL_MECHANISM: 'scram-sha-512', BANYAN_LOG_SASL_USERNAME: 'banyan' };

  it.each<[string, Env, RegExp]>([
    [
      'Debezium with a log in a file',
      { BANYAN_LOG_KIND: undefined, BANYAN_LOG_BROKERS: undefined },
      /source\.kind: debezium needs `log\.kind` kafka/,
    ],
    ['a log on Kafka without brokers', { BANYAN_LOG_BROKERS: undefined }, /log\.brokers: needed/],
    ['Debezium without Connect', { BANYAN_SOURCE_CONNECT_URL: undefined }, /source\.connectUrl: needed/],
    ['stores without a server', { BANYAN_SERVICES_STORE_HOST: undefined }, /services\.store\.host: needed/],
    ['an unknown log', { BANYAN_LOG_KIND: 'redis' }, /log\.kind: .*"sqlite"\|"kafka"/],
    ['an unknown source', { BANYAN_SOURCE_KIND: 'maxwell' }, /source\.kind: .*"binlog"\|"debezium"/],
    ['an unknown store', { BANYAN_SERVICES_STORE_KIND: 'oracle' }, /services\.store\.kind: .*"sqlite"\|"mysql"/],
    ['an account without a password', SASL, /log\.sasl\.password: needed: BANYAN_LOG_SASL_PASSWORD/],
    ['a password in no file', { ...SASL, BANYAN_LOG_SASL_PASSWORD_FILE: '/nowhere' }, /PASSWORD_FILE: ENOENT/],
  ])('refuses %s', async (_, env, found) => {
    expect(await refusal(env, 'emit')).toMatchObject(refused('BNY-CLI-CONFIG', found));
  });

  describe('a broker that takes connections and never answers', () => {
    let mute: Server;
    const sockets = new Set<Socket>();
    beforeAll(async () => {
      mute = createServer((socket) => sockets.add(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
      await once(mute, 'listening');
    });
    afterAll(() => {
      for (const socket of sockets) socket.destroy();
      mute.close();
    });

    it('ends every command with its address, in the end', async () => {
      const address = `127.0.0.1:${(mute.address() as AddressInfo).port}`;
      const env = { BANYAN_LOG_BROKERS: address };
      const commands = [
        ['status'],
        ['status', '--wait'],
        ['etl', 'posts', '--yes'],
        ['switch', 'posts', 'reads', '--yes'],
        ['emit'],
        ['serve', 'posts'],
        ['log', 'stats'],
      ];
      const [doctor, ...others] = await Promise.all([
        run(env, 'doctor'),
        ...commands.map((command) => refusal(env, ...command)),
      ]);
      expect(doctor).toMatchObject({ code: 1, stdout: expect.stringMatching(new RegExp(`UNREACHABLE: ${address}`)) });
      for (const other of others) {
        expect(other).toMatchObject(refused('BNY-LOG-UNREACHABLE', new RegExp(address)));
      }
    }, 180_000);
  });

  it('ends a service whose port is taken, also while it is connected to the brokers', async () => {
    const taken = createServer().listen(Number(new URL(world.urls.services['posts'] ?? '').port), '127.0.0.1');
    await once(taken, 'listening');
    expect(await refusal({}, 'serve', 'posts')).toMatchObject({ exit: 1, error: { code: 'BNY-SERVICE-PORT' } });
    taken.close();
  }, 180_000);

  describe('a topic', () => {
    const COMMANDS = [['status'], ['etl', 'posts', '--yes'], ['switch', 'posts', 'reads', '--yes']];

    /** Every command that reads it refuses and writes nothing; `doctor` names it among its findings. */
    async function refusedByAll(
      env: Env,
      commands: string[][],
      code: string,
      found: RegExp,
      doctor = found,
    ): Promise<void> {
      const before = await contents();
      for (const command of commands) {
        expect(await refusal(env, ...command)).toMatchObject(refused(code, found));
      }
      const { code: exit, json } = await run(env, 'doctor', '--json');
      const { findings } = json as { findings: { check: string; found: string; cure: string }[] };
      expect(exit).toBe(1);
      const named = findings.find((each) => doctor.test(`${each.check}: ${each.found}`));
      expect(named?.cure).toMatch(/[Ss]tart with a new log/);
      expect(await contents()).toEqual(before);
    }

    it('to which somebody else writes', async () => {
      const { env, prefix } = await newLog();
      const producer = client.producer();
      await producer.connect();
      await producer.send({ topic: `${prefix}banyan.control`, messages: [{ key: 'k', value: 'v' }] });
      await producer.disconnect();
      await refusedByAll(env, COMMANDS, 'BNY-LOG-FOREIGN', /no header ce_id at banyan\.control/);
    }, 180_000);

    it('to which partitions were added by hand', async () => {
      const { env, prefix } = await newLog();
      const topic = `${prefix}posts`;
      await admin(async (opened) => {
        await opened.createPartitions({ topicPartitions: [{ topic, count: 9 }] });
        // Their leaders take a moment to know of it.
        const led = () => opened.fetchTopicOffsets(topic).then(Boolean, () => false);
        while (!(await led())) await sleep(100);
      });
      await refusedByAll(
        env,
        [...COMMANDS, ['emit'], ['log', 'stats']],
        'BNY-LOG-PARTITIONS',
        /log2\.posts has 9/,
        /log2\.posts: 9 partitions/,
      );
    }, 180_000);

    it('of which records were deleted by hand', async () => {
      const { env, prefix } = await newLog();
      await forget(`${prefix}banyan.control`, 1);
      const commands = [...COMMANDS, ['log', 'tail', 'banyan.control', '--no-follow']];
      await refusedByAll(env, commands, 'BNY-LOG-FORGETS', /banyan\.control/);
    }, 180_000);

    it('of which records were deleted below a store’s cursor stops that service, and doctor says why', async () => {
      const { env, config, prefix } = await newLog();
      const log = await openLog(config);
      const writer = await log.writer('emitter');
      const about = { topic: 'posts', type: 'PostPublished', version: 1, origin: 'monolith' as const, epoch: 0 };
      const events = ['a', 'b'].map((id) => ({ ...about, id, key: '1', time: '2026-01-01T00:00:00.000Z', data: '{}' }));
      await writer.append(events, {});
      await writer.close();
      const placed = Object.values(await log.ends(['posts']))[0] ?? [];
      await log.close();
      await forget(
        `${prefix}posts`,
        1,
        placed.findIndex((end) => end > 0),
      );
      const service = spawn(process.execPath, ['cli/main.ts', 'serve', 'posts'], { env: { ...world.env, ...env } });
      try {
        const { cure, found } = await findingOf(env, 'projector posts');
        expect(found).toMatch(/^BNY-LOG-FORGETS: /);
        expect(cure).toContain('seed again');
      } finally {
        await ended(service);
      }
    }, 180_000);

    const forget = (topic: string, offset: number, partition = 0) =>
      admin(async (opened) => {
        // It deletes nothing of topics of which it has not heard.
        await opened.fetchTopicOffsets(topic);
        await opened.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
      });

    async function findingOf(env: Env, check: string) {
      for (;;) {
        const { json } = await run(env, 'doctor', '--json');
        const { findings } = json as { findings: { check: string; found: string; cure: string }[] };
        const finding = findings.find((each) => each.check === check);
        if (finding) return finding;
        await sleep(200);
      }
    }

    async function ended(child: ChildProcess): Promise<void> {
      if (child.exitCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    }
  });
});
