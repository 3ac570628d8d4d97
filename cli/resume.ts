import type { Command } from 'commander';
import { controlEvent, followControl, readControlState } from '../log/index.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { cliFault } from './errors.ts';
import { emitterSilence } from './guards.ts';
import { openLog } from './open-log.ts';

export function registerResume(program: Command): void {
  const command = program
    .command('resume')
    .description("Put a parked domain's changes through its capture and make it live again")
    .argument('<domain>', 'what is parked')
    .option('--reseed', 'drop the parked changes, empty the stores and seed the domain anew')
    .option('--yes', 'act on the plan');
  handle(standard(command, ['banyan resume orders --yes', 'banyan resume orders --reseed --yes']), resume);
}

async function resume(context: Context, [name = '']: string[], options: Record<string, unknown>): Promise<number> {
  context.domain(name);
  const reseed = options['reseed'] === true;
  const log = openLog(context.config);
  try {
    const fold = await readControlState(log);
    const { parked } = fold.of(name);
    if (!parked)
      throw cliFault('BNY-CLI-REFUSED', {
        found: `${name} is not parked`,
        needed: 'a parked domain',
        cure: 'banyan status',
      });
    if (parked.reseed && !reseed)
      throw cliFault('BNY-CLI-REFUSED', { found: parked.cause, needed: '--reseed', cure: parked.cure });
    const plan = reseed
      ? [`drop the changes parked since ${parked.since}`, `empty the stores of ${name}`, `seed ${name} again`]
      : [`put the changes parked since ${parked.since} through the capture, in order`, `make ${name} live again`];
    if (!(await context.confirm(plan))) return EXIT.differences;
    const silence = emitterSilence(fold);
    if (silence) context.note(silence);
    const since = parked.since;
    await log.post([controlEvent('ResumeRequested', { domain: name, reseed }, context.actor)]);
    for await (const fold of followControl(log, context.signal)) {
      const now = fold.of(name).parked;
      if (!now) {
        const next = [reseed ? `banyan etl ${name}` : 'banyan status'];
        context.data({ domain: name, resumed: true, next_steps: next }, `${name}: live again. Next: ${next[0]}`);
        return EXIT.done;
      }
      if (now.since !== since)
        throw cliFault('BNY-CLI-REFUSED', { found: `${name} was parked again: ${now.cause}`, cure: now.cure });
    }
    return EXIT.interrupted;
  } finally {
    await log.close();
  }
}
