import { join } from 'node:path';
import config from '../../banyan.config.ts';
import { topicsOf } from '../../cli/config/adapters.ts';
import { controlEvent, type EventLog, openSqliteLog, readControlState } from '../../log/index.ts';
import { quantile } from '../lib/statistics.ts';
import type { World } from '../lib/world.ts';
import { atMost, type Row } from './types.ts';

const SWITCHES = 40;
const LIMIT_MS = 100;
const PATIENCE_MS = 10_000;
const DOMAIN = 'profiles';

/** From the append of a switch's record, by a process of its own, until the router's answers come from the other side. */
export async function switching(world: World): Promise<Row[]> {
  const file = join(String(world.env['BANYAN_DATA']), 'log.sqlite');
  const log = openSqliteLog({ file, topics: topicsOf(config) });
  try {
    const taken: number[] = [];
    for (let n = 0; n < SWITCHES; n++) taken.push(await switchOnce(log, world, n % 2 === 0 ? 100 : 0));
    const reference = { name: 'bar', value: LIMIT_MS };
    return [
      atMost(null, { name: 'switch to effect, p50', value: quantile(taken, 0.5), unit: 'ms', reference }),
      atMost(1, {
        name: `switch to effect, the slowest of ${SWITCHES}`,
        value: Math.max(...taken),
        unit: 'ms',
        reference,
      }),
    ];
  } finally {
    await log.close();
  }
}

async function switchOnce(log: EventLog, world: World, percent: 0 | 100): Promise<number> {
  const { reads } = (await readControlState(log)).of(DOMAIN);
  const side = percent === 100 ? 'service' : 'monolith';
  const started = performance.now();
  await log.post([controlEvent('ReadsSwitched', { domain: DOMAIN, percent, revision: reads.revision }, 'bench')]);
  while (performance.now() - started < PATIENCE_MS) {
    const answer = await fetch(`${world.urls.router}/members`);
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`a read was answered with ${answer.status} during a switch`);
    if (answer.headers.get('banyan-served-by')?.startsWith(side)) return performance.now() - started;
  }
  throw new Error(`reads did not move to the ${side}`);
}
