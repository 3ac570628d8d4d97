import type { Command } from 'commander';
import {
  type ControlFold,
  controlEvent,
  type DomainControl,
  type EventLog,
  followControl,
  readControlState,
} from '../log/index.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { openLog, openStores } from './config/adapters.ts';
import { cliFault } from './errors.ts';
import { beatsOf, enforce, type Guard, notParked } from './guards.ts';
import { ProgressLine } from './progress-line.ts';
import { serviceOf } from './situation.ts';

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
  const log = await openLog(context.config);
  try {
    const fold = await readControlState(log);
    return await (options['undo'] ? undo(context, log, name, fold.of(name)) : rebuild(context, log, name, fold));
  } finally {
    await log.close();
  }
}

async function undo(context: Context, log: EventLog, domain: string, { store }: DomainControl): Promise<number> {
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
  // It is void when the store was dropped before it.
  const { store: now } = (await readControlState(log)).of(domain);
  if (now.live !== previous) {
    throw cliFault('BNY-CLI-REFUSED', {
      found: `store ${previous} of ${domain} has been dropped meanwhile; store ${now.live} is live`,
      needed: 'a replay less old than `services.undoMs`',
    });
  }
  context.data({ domain, store: previous, was: live }, `${domain}: store ${previous} is live again`);
  return EXIT.done;
}

async function rebuild(context: Context, log: EventLog, domain: string, fold: ControlFold): Promise<number> {
  const { store } = fold.of(domain);
  enforce(replayGuards(fold, domain));
  const next = String(store.newest + 1);
  const plan = [
    `build store ${next} of ${domain} from the log, beside the live store ${store.live}`,
    'compare both at the same cursors; when a row differs, name it and change nothing',
    `switch reads to store ${next}; store ${store.live} is kept up for --undo`,
  ];
  if (!(await context.confirm(plan))) return EXIT.differences;
  const started = Date.now();
  await log.post([controlEvent('ReplayRequested', { domain, store: next }, context.actor)]);
  const line = new ProgressLine();
  for await (const now of followControl(log, context.signal)) {
    const { lastReplay } = now.of(domain);
    const latest = now.latest.get(`replay:${domain}`);
    if (latest?.type === 'ReplayProgress' && latest.data.store === next && !context.options.json) {
      line.show(`${domain}: store ${next}, ${latest.data.events} of ${latest.data.total} events`);
    }
    if (lastReplay?.store !== next || Date.parse(lastReplay.at) < started) continue;
    line.end();
    return finish(context, domain, next, lastReplay, await removalOf(context, log, domain, store.live));
  }
  line.end();
  return EXIT.interrupted;
}

/** What must hold before a store is rebuilt: the live one keeps up, and there is a service to build the new one. */
export function replayGuards(fold: ControlFold, domain: string): Guard[] {
  const { store, seeded } = fold.of(domain);
  const { hopeless, stopped, problem, cure } = serviceOf(fold, domain);
  const runs = beatsOf(fold, domain).length > 0;
  return [
    { guard: 'seeded', ok: seeded !== undefined, found: `${domain} is not seeded`, cure: `banyan etl ${domain}` },
    notParked(fold, domain),
    {
      guard: 'one replay at a time',
      ok: store.replaying === undefined,
      found: `store ${store.replaying} is being built`,
      cure: 'Wait for its end.',
    },
    { guard: 'running service, which builds the store', ok: runs, found: String(problem), cure },
    { guard: 'projector not stopped', ok: !hopeless, found: `${stopped}: ${problem}`, cure },
  ];
}

function finish(
  context: Context,
  domain: string,
  store: string,
  { failed, hash }: NonNullable<DomainControl['lastReplay']>,
  removal: string,
): number {
  if (failed) {
    const steps = failed.differences.length > 0 ? acceptance(removal) : [];
    const samples = failed.differences.map((difference) => JSON.stringify(difference));
    context.data(
      { ...failed, equal: false, next_steps: steps },
      [`${domain}: ${failed.reason}. Nothing was changed.`, ...samples, ...steps].join('\n'),
    );
    return EXIT.differences;
  }
  const steps = [`banyan replay ${domain} --undo`];
  context.data(
    { domain, equal: true, store, hash, next_steps: steps },
    `${domain}: equal (${hash?.slice(0, 12)}), store ${store} is live. Back: ${steps[0]}`,
  );
  return EXIT.done;
}

async function removalOf(context: Context, log: EventLog, domain: string, store: string): Promise<string> {
  return openStores(context.config, context.domain(domain), await log.identity()).removal(store);
}

/** How to go on when both differ: nobody but its owner can tell which rows are right. */
function acceptance(removal: string): string[] {
  return [
    'Look at the samples: when the live rows are right, correct projection.ts or the upcasts, and replay again.',
    `To accept the rebuilt rows: stop \`banyan up\`, ${removal}, start it again; the store is rebuilt from the log.`,
  ];
}
