import { parentPort, workerData } from 'node:worker_threads';
import { runProjectorThread, type ThreadTask } from '../services/kit/projector/thread.ts';
import { createLogger } from './command.ts';
import { openLog, openStores } from './config/adapters.ts';
import { loadConfig } from './config/load.ts';
import { cliFault } from './errors.ts';

/** Thread of `banyan serve`: one projector. */
export interface ServeThreadData {
  configFile: string;
  domain: string;
  instance: string;
  url: string;
  task: ThreadTask;
}

export type ServeThreadMessage = { type: 'ready' } | { type: 'stopped'; error: string };

const data = workerData as ServeThreadData;
const tell = (message: ServeThreadMessage) => parentPort?.postMessage(message);
const stop = new AbortController();
let live = false;
parentPort?.on('message', (message: 'stop' | { live: boolean }) => {
  if (message === 'stop') stop.abort();
  else live = message.live;
});

const config = await loadConfig(data.configFile);
const domain = config.domains.find(({ name }) => name === data.domain);
if (!domain) throw cliFault('BNY-CLI-UNKNOWN-DOMAIN', { found: data.domain });
const log = await openLog(config);
await runProjectorThread(
  {
    log,
    domain,
    task: data.task,
    stores: openStores(config, domain, await log.identity()),
    instance: data.instance,
    url: data.url,
    isLive: () => live,
    logger: createLogger(),
    onReady: () => tell({ type: 'ready' }),
    onStopped: (error) => tell({ type: 'stopped', error: String(error) }),
  },
  stop.signal,
);
await log.close();
parentPort?.close();
