import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLog, topicsOf } from '../../cli/config/adapters.ts';
import { fromStart } from '../../log/index.ts';
import type { World } from '../lib/world.ts';

const TOPIC = 'publications';
const DECIDED = ['SubmissionAccepted', 'SubmissionRefused'];
const DECIDE_MS = 200;

/** Decides about submissions, one after the other, as somebody at the database would; returns how many, once aborted. */
export async function decideSubmissions({ database }: World, signal: AbortSignal): Promise<number> {
  let decided = 0;
  while (!signal.aborted) {
    const pending = database('submissions').where({ status: 'pending' }).orderBy('id').limit(1);
    // The server is killed now and then.
    decided += await pending.update({ status: 'refused', decided_at: new Date() }).catch(() => 0);
    await sleep(DECIDE_MS, undefined, { signal }).catch(() => undefined);
  }
  return decided;
}

/** Where what was notified and what the log says to notify of differ: each decision wants one notification. */
export async function checkNotifications(world: World): Promise<string[]> {
  await idle(world);
  const notified = Map.groupBy(notifications(world), (id) => id);
  const decided = await decisions(world);
  return [
    ...[...decided].filter((id) => !notified.has(id)).map((id) => `${id} is missing`),
    ...[...notified.keys()].filter((id) => !decided.has(id)).map((id) => `${id} is in no log`),
    ...[...notified].filter(([, times]) => times.length > 1).map(([id, times]) => `${id} ${times.length} times`),
  ];
}

async function decisions({ config }: World): Promise<Set<string>> {
  const log = await openLog(config);
  const ids = new Set<string>();
  for await (const batch of log.read(fromStart([TOPIC], topicsOf(config)), { follow: false })) {
    for (const { type, seed, id } of batch) if (DECIDED.includes(type) && seed === undefined) ids.add(id);
  }
  await log.close();
  return ids;
}

function notifications({ env }: World): string[] {
  const lines = readFileSync(String(env['NOTIFICATIONS_FILE']), 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => line.split('\t')[0] as string);
}

interface Stand {
  processor: string;
  lag: number | null;
}

/** Until every processor has worked off what there is. */
async function idle(world: World): Promise<void> {
  for (let tries = 0; ; tries++) {
    const { processors } = (await world.banyan('status', '--json')).json as { processors: Stand[] };
    const behind = processors.filter(({ lag }) => lag !== 0);
    if (behind.length === 0) return;
    if (tries === 60) throw new Error(`processors do not get through: ${JSON.stringify(behind)}`);
    await sleep(1000);
  }
}
