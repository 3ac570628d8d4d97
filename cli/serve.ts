import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { type ProjectorThread, runService, type ServiceOptions } from '../services/kit/service.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { openLog, openStores } from './config/adapters.ts';
import { portOf, serviceUrl } from './config/places.ts';
import { cliFault } from './errors.ts';
import type { ServeThreadData, ServeThreadMessage } from './serve-thread.ts';
import { startThread } from './threads.ts';

export function registerServe(program: Command): void {
  const command = program
    .command('serve')
    .argument('<domain>', 'whose service')
    .description(
      "Run an instance of one domain's service: of those that share a store one projects, all answer the read routes",
    )
    .option('--port <port>', 'where this instance listens, if not at the port of the configuration');
  handle(standard(command, ['banyan serve orders', 'banyan serve orders --port 4201']), serve);
}

async function serve(
  context: Context,
  [name = '']: string[],
  { port: wanted }: Record<string, unknown>,
): Promise<number> {
  const { config, logger, signal, options } = context;
  const domain = context.domain(name);
  const port = wanted === undefined ? portOf(config, name) : parsePort(String(wanted));
  const log = await openLog(config);
  const { host, maxLagMs, undoMs } = config.services;
  const instance = `${name}-${randomUUID().slice(0, 8)}`;
  const data = { configFile: options.config, domain: name, instance, url: serviceUrl(config, name, port) };
  try {
    await runService(
      {
        log,
        domain,
        host,
        port,
        secret: context.secret,
        maxLagMs,
        undoMs,
        stores: openStores(config, domain, await log.identity()),
        startThread: (task, told) => startProjector({ ...data, task }, told),
        logger,
      },
      signal,
    );
    return EXIT.done;
  } finally {
    await log.close();
  }
}

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) return Number(text);
  throw cliFault('BNY-CLI-USAGE', { found: `--port ${text}`, needed: 'a whole number from 1 to 65535' });
}

/** How long a projector may take to finish its batch. */
const STOP_MS = 5000;

function startProjector(data: ServeThreadData, told: Parameters<ServiceOptions['startThread']>[1]): ProjectorThread {
  const worker = startThread('serve-thread', data);
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.on('message', (message: ServeThreadMessage) => {
    if (message.type === 'ready') told.ready();
    else told.stopped(message.error);
  });
  let stopping = false;
  // A thread that dies unasked takes the process with it: whoever runs that starts it anew.
  worker.on('error', (error) => told.died(error));
  worker.on('exit', (code) => stopping || told.died(new Error(`the projector's thread ended with ${code}`)));
  return {
    setLive: (live) => worker.postMessage({ live }),
    async stop() {
      stopping = true;
      worker.postMessage('stop');
      const late = setTimeout(() => void worker.terminate(), STOP_MS);
      await ended;
      clearTimeout(late);
    },
  };
}
