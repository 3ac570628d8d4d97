import { parentPort, workerData } from 'node:worker_threads';
import { type ControlFold, followControl } from '../log/index.ts';
import type { RoutingState } from '../router/index.ts';
import { whyNotServeable } from '../services/kit/serveable.ts';
import { openLog } from './config/adapters.ts';
import { loadConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';

/** Thread of `banyan router`: follows the control topic and tells the router what it comes to. */
const config = await loadConfig((workerData as { configFile: string }).configFile);
const log = await openLog(config);
let told = '';
for await (const fold of followControl(log, new AbortController().signal)) {
  const state = routingState(config, fold);
  const text = JSON.stringify(state.domains);
  if (text === told) continue;
  told = text;
  parentPort?.postMessage(state);
}

function routingState({ domains }: Config, fold: ControlFold): RoutingState {
  const entries = domains.map((domain) => {
    const why = whyNotServeable(fold, domain);
    const { percent } = fold.of(domain.name).reads;
    return [domain.name, { percent, serveable: why === undefined, ...(why !== undefined && { why }) }] as const;
  });
  return { version: Date.now(), domains: Object.fromEntries(entries) };
}
