import { type Command, Option } from 'commander';
import { controlEvent, type EventLog, readControlState } from '../log/index.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { openLog } from './config/adapters.ts';
import { serviceUrl } from './config/places.ts';
import { cliFault } from './errors.ts';
import { enforce, readGuards, sourceGuards } from './guards.ts';

export function registerSwitch(program: Command): void {
  const toService = program
    .command('switch')
    .description("Move a domain's reads to its service, a share of the sessions at a time")
    .argument('<domain>', 'what to move')
    .argument('<what>', '`reads`')
    .addOption(new Option('--percent <n>', 'share of the sessions').default('100'))
    .option('--yes', 'act on the plan');
  handle(
    standard(toService, ['banyan switch orders reads --percent 10', 'banyan switch orders reads --yes']),
    async (context, args, options) => {
      const percent = parsePercent(String(options['percent']));
      return moveReads(context, args, percent);
    },
  );
  const back = program
    .command('rollback')
    .description("Move a domain's reads back to the monolith, at once and from any state")
    .argument('<domain>', 'what to move back')
    .argument('<what>', '`reads`')
    .option('--yes', 'act on the plan');
  handle(standard(back, ['banyan rollback orders reads --yes']), (context, args) => moveReads(context, args, 0));
}

function parsePercent(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 100) return Number(text);
  throw cliFault('BNY-CLI-USAGE', { found: `--percent ${text}`, needed: 'a whole number from 0 to 100' });
}

async function moveReads(context: Context, [name = '', what]: string[], percent: number): Promise<number> {
  const domain = context.domain(name);
  if (what !== 'reads') throw cliFault('BNY-CLI-USAGE', { found: String(what), needed: '`reads`' });
  const log = await openLog(context.config);
  try {
    const fold = await readControlState(log);
    const { reads } = fold.of(name);
    if (percent > reads.percent) {
      const guards = [
        ...(await readGuards(fold, domain, serviceUrl(context.config, name), context.config.services.maxLagMs)),
        ...(await sourceGuards(context, [name, ...domain.projection.topics])),
      ];
      for (const { guard, ok, found } of guards) context.note(`${ok ? 'ok     ' : 'refused'}  ${guard}: ${found}`);
      enforce(guards);
    }
    const state = { domain: name, reads: reads.percent };
    if (percent === reads.percent) {
      context.data({ ...state, changed: false }, `${name}: reads are at ${percent} % already`);
      return EXIT.done;
    }
    const plan = [
      `${name}: reads from ${reads.percent} % to ${percent} % of the sessions, on every router, within 100 ms`,
    ];
    if (!(await context.confirm(plan))) return EXIT.differences;
    await post(context, log, name, percent, reads.revision);
    const steps = percent === 0 ? [] : [`banyan rollback ${name} reads`];
    context.data(
      { ...state, reads: percent, was: reads.percent, changed: true, next_steps: steps },
      `${name}: reads ${reads.percent} % → ${percent} %`,
    );
    return EXIT.done;
  } finally {
    await log.close();
  }
}

/** Appends the switch and reads back whether it counted: another one may have come first. */
async function post(context: Context, log: EventLog, domain: string, percent: number, revision: number): Promise<void> {
  await log.post([controlEvent('ReadsSwitched', { domain, percent, revision }, context.actor)]);
  const { reads } = (await readControlState(log)).of(domain);
  if (reads.revision === revision + 1 && reads.percent === percent) return;
  throw cliFault('BNY-CLI-REFUSED', {
    found: `somebody else switched to ${reads.percent} % at the same time`,
    needed: 'one switch at a time',
    cure: `banyan status; then decide anew`,
  });
}
