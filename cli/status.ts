import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { type ControlFold, readControlState } from '../log/index.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { openLog, storesShareServer } from './config/adapters.ts';
import type { Config } from './config/schema.ts';
import { cliFault } from './errors.ts';
import { enforce, type Guard, STALE_BEAT_MS } from './guards.ts';
import {
  type DomainStatus,
  domainOf,
  type EmitterSituation,
  emitterOf,
  type ProcessorStatus,
  processorOf,
  type Settings,
  serviceOf,
} from './situation.ts';
import { brief, table } from './table.ts';

export function registerStatus(program: Command): void {
  const command = program
    .command('status')
    .description(
      'One line a domain: owner, reads, seed, lag, and what to do next; one line a processor: lag and dead letters',
    )
    .option('--watch', 'draw it again every second')
    .option('--wait', 'wait until every domain is seeded and caught up; end at once with 3 on what waiting cannot cure')
    .addOption(new Option('--timeout <seconds>', 'how long to wait').default('300'));
  handle(standard(command, ['banyan status', 'banyan status --wait --timeout 60', 'banyan status --json']), status);
}

const SHARED =
  'The stores are on the monolith’s own database server: it bears both loads, and its binlog carries the stores’ writes too. Move `services.store` to another server.';

async function status(context: Context, _: string[], options: Record<string, unknown>): Promise<number> {
  const log = await openLog(context.config);
  const timeout = Number(options['timeout']);
  if (!(timeout >= 0)) throw cliFault('BNY-CLI-USAGE', { found: `--timeout ${options['timeout']}`, needed: 'seconds' });
  const started = Date.now();
  const warnings = (await storesShareServer(context.config)) ? [SHARED] : [];
  for (const warning of warnings) context.note(warning);
  try {
    for (;;) {
      const fold = await readControlState(log);
      const emitter = emitterOf(fold, context.config);
      const domains = context.config.domains.map(({ name }) => domainOf(fold, name, context.config));
      const processors = await Promise.all(context.config.processors.map((each) => processorOf(fold, log, each)));
      const runs = [emitter, ...processors].every(({ problem }) => problem === null);
      const good = runs && domains.every(({ problem, caughtUp }) => problem === null && caughtUp);
      const incurable = options['wait'] ? incurables(fold, context.config, started) : [];
      const over = good || incurable.length > 0 || Date.now() > started + timeout * 1000 || context.signal.aborted;
      if (!options['wait'] || over) {
        if (options['watch'] && process.stdout.isTTY) process.stdout.write('\x1b[H\x1b[2J');
        show(context, emitter, domains, processors, warnings);
      }
      enforce(incurable);
      if (options['wait'] ? over : !options['watch'] || context.signal.aborted)
        return good ? EXIT.done : EXIT.differences;
      await sleep(options['watch'] ? 1000 : 200, undefined, { signal: context.signal }).catch(() => undefined);
    }
  } finally {
    await log.close();
  }
}

/** What nobody gets past by waiting: it needs somebody who acts on the cure. `since`: when the waiting began. */
export function incurables(fold: ControlFold, config: Pick<Config, 'domains'> & Settings, since: number): Guard[] {
  // What was said before may be of a process whose successor is just starting.
  const counts = ({ hopeless, toldAt }: { hopeless: boolean; toldAt: number }) =>
    hopeless && (toldAt >= since || Date.now() - since > STALE_BEAT_MS);
  const emitter = emitterOf(fold, config);
  const guards = counts(emitter) ? [refusal('emitter not stopped', emitter)] : [];
  for (const { name } of config.domains) {
    const { parked } = fold.of(name);
    const service = serviceOf(fold, name);
    if (parked) guards.push(refusal(`${name} not parked`, { problem: parked.cause, cure: parked.cure }));
    if (counts(service)) guards.push(refusal(`${name} not stopped`, service));
  }
  return guards;
}

function refusal(guard: string, { problem, cure }: { problem: string | null; cure: string }): Guard {
  return { guard, ok: false, found: String(problem), cure };
}

function show(
  context: Context,
  emitter: EmitterSituation,
  domains: DomainStatus[],
  processors: ProcessorStatus[],
  warnings: string[],
): void {
  const { hopeless: _, toldAt: __, ...told } = emitter;
  const next = [...new Set([...domains, ...processors].map(({ next }) => next).filter(Boolean))];
  const data = { emitter: told, domains, processors, warnings, next_steps: next };
  context.data(data, render(emitter, domains, processors));
}

const STATE_WIDTH = 80;
const NEXT_WIDTH = 110;

function render(emitter: EmitterSituation, domains: DomainStatus[], processors: ProcessorStatus[]): string {
  const rows = domains.map((d) => [
    d.domain,
    d.owner,
    `${d.reads} %`,
    d.seeded,
    d.lagSeconds === null ? '-' : `${d.lagSeconds} s`,
    brief(d.problem ?? 'ok', STATE_WIDTH),
    brief(d.next, NEXT_WIDTH),
  ]);
  const head = `emitter: ${brief(emitter.problem ?? `live, ${emitter.ageSeconds} s ago, at ${emitter.position}`, NEXT_WIDTH)}`;
  const cut = [...domains, ...processors].some(
    ({ problem }) => problem !== null && brief(problem, STATE_WIDTH).endsWith('…'),
  );
  const foot = cut ? '\nWhole messages: banyan status --json' : '';
  return `${head}\n${table(['DOMAIN', 'OWNER', 'READS', 'SEEDED', 'LAG', 'STATE', 'NEXT'], rows)}${renderProcessors(processors)}${foot}`;
}

function renderProcessors(processors: readonly ProcessorStatus[]): string {
  if (processors.length === 0) return '';
  const rows = processors.map((p) => [
    p.processor,
    String(p.instances),
    p.lag === null ? '-' : `${p.lag} events`,
    String(p.dead),
    brief(p.problem ?? 'ok', STATE_WIDTH),
    brief(p.next, NEXT_WIDTH),
  ]);
  return `\n\n${table(['PROCESSOR', 'INSTANCES', 'LAG', 'DEAD', 'STATE', 'NEXT'], rows)}`;
}
