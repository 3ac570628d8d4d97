import type { Command } from 'commander';
import { type ControlFold, controlEvent, type DomainControl, followControl, readControlState } from '../log/index.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { openLog } from './config/adapters.ts';
import { cliFault } from './errors.ts';
import { enforce, type Guard, sourceGuards } from './guards.ts';
import { noteSilence } from './situation.ts';

export function registerResume(program: Command): void {
  const command = program
    .command('resume')
    .description("Put a parked domain's changes through its capture and make it live again, or seed a domain anew")
    .argument('<domain>', 'what is parked')
    .option('--reseed', 'drop the parked changes, if any, empty the stores and seed the domain anew, parked or not')
    .option('--yes', 'act on the plan');
  handle(standard(command, ['banyan resume orders --yes', 'banyan resume orders --reseed --yes']), resume);
}

async function resume(context: Context, [name = '']: string[], options: Record<string, unknown>): Promise<number> {
  context.domain(name);
  const reseed = options['reseed'] === true;
  const log = await openLog(context.config);
  try {
    const fold = await readControlState(log);
    const before = fold.of(name);
    enforce(reseed ? reseedGuards(name, before) : resumeGuards(name, before));
    enforce(await sourceGuards(context, [name]));
    if (!(await context.confirm(planOf(name, before, reseed)))) return EXIT.differences;
    noteSilence(context, fold);
    await log.post([controlEvent('ResumeRequested', { domain: name, reseed }, context.actor)]);
    for await (const now of followControl(log, context.signal)) {
      if (isDone(name, now, before, reseed)) return finish(context, name, reseed);
    }
    return EXIT.interrupted;
  } finally {
    await log.close();
  }
}

function resumeGuards(name: string, { parked }: DomainControl): Guard[] {
  const needsReseed = parked?.reseed ?? false;
  return [
    { guard: 'parked', ok: parked !== undefined, found: `${name} is not parked`, cure: 'banyan status' },
    { guard: '--reseed', ok: !needsReseed, found: parked?.cause ?? '', cure: parked?.cure ?? '' },
  ];
}

/** A parked domain can be seeded anew, and one that has been seeded; what is just being seeded is new enough. */
function reseedGuards(name: string, { parked, seeded, etl }: DomainControl): Guard[] {
  const running = etl !== undefined && !parked;
  const nothing = !parked && !seeded && !running;
  return [
    { guard: 'no running seed', ok: !running, found: `a seed of ${name} is running`, cure: `banyan etl ${name}` },
    { guard: 'parked or seeded', ok: !nothing, found: `${name} is neither`, cure: `banyan etl ${name}` },
  ];
}

function planOf(name: string, { parked, reads }: DomainControl, reseed: boolean): string[] {
  const since = parked?.since;
  if (!reseed)
    return [`put the changes parked since ${since} through the capture, in order`, `make ${name} live again`];
  const served = reads.percent > 0 ? `; until that is done, the monolith answers its reads` : '';
  return [
    ...(parked ? [`drop the changes parked since ${since}`] : []),
    `empty the stores of ${name}`,
    `seed ${name} again, by itself${served}`,
  ];
}

/** @throws BNY-CLI-REFUSED when it was parked once more */
function isDone(name: string, fold: ControlFold, before: DomainControl, reseed: boolean): boolean {
  const { parked, etl, seeded } = fold.of(name);
  if (parked && parked.since !== before.parked?.since)
    throw cliFault('BNY-CLI-REFUSED', { found: `${name} was parked again: ${parked.cause}`, cure: parked.cure });
  if (!reseed) return !parked;
  return !parked && (etl?.run !== before.etl?.run || seeded?.run !== before.seeded?.run);
}

function finish(context: Context, name: string, reseed: boolean): number {
  const next = [reseed ? 'banyan status --wait' : 'banyan status'];
  const text = reseed
    ? `${name}: its stores are emptied, and its seed has started by itself. \`banyan etl ${name}\` only follows it. Next: ${next[0]}`
    : `${name}: live again. Next: ${next[0]}`;
  context.data({ domain: name, resumed: true, seeding: reseed, next_steps: next }, text);
  return EXIT.done;
}
