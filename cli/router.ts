import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { type RoutingState, startRouter } from '../router/index.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { openSource } from './config/adapters.ts';
import { routerOptions } from './router-options.ts';
import { startThread } from './threads.ts';

export function registerRouter(program: Command): void {
  const command = program
    .command('router')
    .description('Run the router: the HTTP proxy in front of monolith and services');
  handle(standard(command, ['banyan router']), runRouter);
}

async function runRouter(context: Context): Promise<number> {
  const { config, logger, signal } = context;
  const source = openSource(config, logger);
  const router = await startRouter(routerOptions(context, () => source.head()));
  const following = followLog(context, router);
  if (!signal.aborted) await once(signal, 'abort');
  await router.close();
  await source.close();
  await following;
  return EXIT.done;
}

const RETRY_MS = 1000;

/**
 * Follows the log in a thread of its own: one large append on this one would hold up every request. While the log cannot
 * be followed, everything goes to the monolith, which needs no log.
 */
async function followLog(
  { options, logger, signal }: Context,
  router: Awaited<ReturnType<typeof startRouter>>,
): Promise<void> {
  while (!signal.aborted) {
    const follower = startThread('router-thread', { configFile: options.config });
    follower.on('message', (state: RoutingState) => router.apply(state));
    const failed = new Promise<unknown>((resolve) => {
      follower.once('error', resolve);
      follower.once('exit', (code) => resolve(new Error(`the thread ended with ${code}`)));
    });
    const error = await Promise.race([failed, once(signal, 'abort')]);
    if (signal.aborted) {
      await follower.terminate();
      return;
    }
    logger.error({ error }, 'the log cannot be followed: every read goes to the monolith until it can');
    router.apply({ version: Date.now(), domains: {} });
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}
