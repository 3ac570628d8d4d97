import type { Command } from 'commander';
import {
  type ControlFold,
  controlEvent,
  type DomainControl,
  FIRST_STORE,
  followControl,
  readControlState,
  type SqliteLog,
} from '../log/index.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { cliFault } from './errors.ts';
import { beatsOf } from './guards.ts';
import { openLog } from './open-log.ts';
import { ProgressLine } from './progress-line.ts';

export function registerReplay(program: Command): void {
  const command = program
    .command('replay')
    .description(
      "Rebuild a domain's store from the log beside the live one, compare both, and switch over when they are equal",
    )
    .argument('<domain>', 'whose store')
    .option('--undo', 'switch back to the store before the last replay')
    .option('--yes', 'act on the plan');
  handle(standard(command, ['banyan replay orders --yes', 'banyan replay orders --undo --yes']), replay);
}

async function replay(context: Context, [name = '']: string[], options: Record<string, unknown>): Promise<number> {
  context.domain(name);
  const log = openLog(context.config);
  try {
    const fold = await readControlState(log);
    return await (options['undo'] ? undo(context, log, name, fold.of(name)) : rebuild(context, log, name, fold));
  } finally {
    await log.close();
  }
}

async function undo(context: Context, log: SqliteLog, domain: string, { store }: DomainControl): Promise<number> {
  const { previous, live } = store;
  if (!previous)
    throw cliFault('BNY-CLI-REFUSED', {
      found: `${domain} has no store to go back to`,
      needed: 'a replay less old than `services.undoMs`',
    });
  if (!(await context.confirm([`${domain}: reads from store ${live} back to store ${previous}`])))
    return EXIT.differences;
  const undoUntil = new Date(Date.now() + context.config.services.undoMs).toISOString();
  await log.post([controlEvent('StoreFlipped', { domain, store: previous, hash: '', undoUntil }, context.actor)]);
  context.data({ domain, store: previous, was: live }, `${domain}: store ${previous} is live again`);
  return EXIT.done;
}

async function rebuild(context: Context, log: SqliteLog, domain: string, fold: ControlFold): Promise<number> {
  const { store, seeded } = fold.of(domain);
  const [end = -1] = (await log.ends([domain]))[domain] ?? [];
  if (!seeded || end < 0) {
    const found = seeded ? 'the log is empty' : `${domain} is not seeded`;
    throw cliFault('BNY-CLI-REFUSED', { found, needed: 'a seeded domain', cure: `banyan etl ${domain}` });
  }
  if (store.replaying)
    throw cliFault('BNY-CLI-REFUSED', {
      found: `store ${store.replaying} is being built`,
      needed: 'one replay at a time',
    });
  if (beatsOf(fold, domain).length === 0) {
    const found = `no sign of life from the service of ${domain}`;
    throw cliFault('BNY-CLI-REFUSED', {
      found,
      needed: 'a running service: it builds the store',
      cure: `banyan up, or banyan serve ${domain}`,
    });
  }
  const next = nextName([store.live, store.previous]);
  const plan = [
    `build store ${next} of ${domain} from the log, beside the live store ${store.live}`,
    'compare both at the same cursors; when a row differs, name it and change nothing',
    `switch reads to store ${next}; store ${store.live} is kept up for --undo`,
  ];
  if (!(await context.confirm(plan))) return EXIT.differences;
  const started = Date.now();
  await log.post([controlEvent('ReplayRequested', { domain, store: next }, context.actor)]);
  const line = new ProgressLine();
  for await (const fold of followControl(log, context.signal)) {
    const { lastReplay } = fold.of(domain);
    const latest = fold.latest.get(`replay:${domain}`);
    if (latest?.type === 'ReplayProgress' && latest.data.store === next && !context.options.json) {
      line.show(`${domain}: store ${next}, ${latest.data.events} of ${latest.data.total} events`);
    }
    if (lastReplay?.store !== next || Date.parse(lastReplay.at) < started) continue;
    line.end();
    return finish(context, domain, next, lastReplay);
  }
  line.end();
  return EXIT.interrupted;
}

function finish(
  context: Context,
  domain: string,
  store: string,
  replayed: NonNullable<DomainControl['lastReplay']>,
): number {
  const { failed, hash } = replayed;
  if (failed) {
    const text = [
      `${domain}: ${failed.reason}`,
      ...failed.differences.map((difference) => JSON.stringify(difference)),
    ].join('\n');
    context.data({ ...failed, equal: false }, text);
    return EXIT.differences;
  }
  const steps = [`banyan replay ${domain} --undo`];
  context.data(
    { domain, equal: true, store, hash, next_steps: steps },
    `${domain}: equal (${hash?.slice(0, 12)}), store ${store} is live. Back: ${steps[0]}`,
  );
  return EXIT.done;
}

/** The lowest number that no store in use has. */
function nextName(used: readonly (string | undefined)[]): string {
  for (let n = Number(FIRST_STORE); ; n++) if (!used.includes(String(n))) return String(n);
}
