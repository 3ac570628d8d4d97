import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { isRing } from '../log/index.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { lockData, refuseUncopied } from './config/adapters.ts';
import { serviceUrl } from './config/places.ts';
import { reach } from './reach.ts';

export function registerUp(program: Command): void {
  const command = program
    .command('up')
    .description(
      'Run everything on this machine: emitter, every service, every processor and the router; restarts what dies',
    );
  handle(standard(command, ['banyan up', 'banyan up --config staging/banyan.config.ts']), up);
}

const RESTART_MS = [100, 200, 500, 1000, 2000];
const STOP_MS = 10_000;

async function up(context: Context): Promise<number> {
  const { config, logger, signal, options } = context;
  await refuseUncopied(config);
  const lock = lockData(config, 'a data folder of its own');
  const parts = [['emit'], ...config.domains.map(({ name }) => ['serve', name])];
  parts.push(...config.processors.map(({ name }) => ['process', name]), ['router']);
  const children = new Map<string, ChildProcess>();
  const env = { ...process.env, BANYAN_SECRET: config.secret ?? randomBytes(32).toString('base64url') };

  const ringOthers = (from: ChildProcess, message: unknown) => {
    if (!isRing(message)) return;
    for (const other of children.values()) {
      // A child that has just died cannot be rung, and need not be: the callback keeps its EPIPE from ending us all.
      if (other !== from && other.connected) other.send(message as string, () => undefined);
    }
  };
  const keepRunning = async (args: string[]) => {
    const name = args.join(' ');
    for (let failures = 0; !signal.aborted; ) {
      const started = Date.now();
      const child = fork(process.argv[1] as string, [...args, '--config', options.config], {
        env,
        stdio: ['ignore', 2, 2, 'ipc'],
      });
      children.set(name, child);
      child.on('message', (message) => ringOthers(child, message));
      child.on('error', (error) => logger.warn({ part: name, error }, 'process fault'));
      logger.info({ part: name, child: child.pid }, 'started');
      const [code, by] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
        child.once('exit', (...how) => resolve(how));
        // Without a pid it was never started, and will not end.
        if (child.pid === undefined) child.once('error', () => resolve([null, null]));
      });
      children.delete(name);
      if (signal.aborted) return;
      failures = Date.now() - started > 10_000 ? 1 : failures + 1;
      const waitMs = RESTART_MS[Math.min(failures, RESTART_MS.length) - 1] ?? 100;
      logger.warn({ part: name, code, signal: by, waitMs }, 'ended; starting it again');
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  };

  const running = Promise.all(parts.map(keepRunning));
  if (logger.isLevelEnabled('info')) void announce(context);
  if (!signal.aborted) await once(signal, 'abort');
  for (const child of children.values()) child.kill('SIGTERM');
  const late = setTimeout(() => {
    for (const child of children.values()) child.kill('SIGKILL');
  }, STOP_MS);
  await running;
  clearTimeout(late);
  lock.release();
  return EXIT.done;
}

/** Says once where to go, when everything that listens has answered. */
async function announce({ config, signal, note }: Context): Promise<void> {
  const { host, port, adminHost, adminPort } = config.router;
  const admin = `http://${adminHost}:${adminPort}`;
  const services = config.domains.map(({ name }) => ({ name, url: serviceUrl(config, name) }));
  const wanted = [`${admin}/livez`, ...services.map(({ url }) => `${url}/livez`)];
  while ((await Promise.all(wanted.map(reach))).some((problem) => problem !== undefined)) {
    await sleep(200, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
  }
  const list = services.map(({ name, url }) => `${name} ${url}`).join(', ');
  note(`banyan: router at http://${host}:${port}, its health and metrics at ${admin}; services: ${list}`);
}
