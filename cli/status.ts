import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { type ControlFold, type LatestData, readControlState } from '../log/index.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { cliFault } from './errors.ts';
import { beatsOf } from './guards.ts';
import { openLog } from './open-log.ts';
import { table } from './table.ts';

export function registerStatus(program: Command): void {
  const command = program
    .command('status')
    .description('One line a domain: owner, reads, seed, lag, and what to do next')
    .option('--watch', 'draw it again every second')
    .option('--wait', 'wait until every domain is seeded and caught up')
    .addOption(new Option('--timeout <seconds>', 'how long to wait').default('300'));
  handle(standard(command, ['banyan status', 'banyan status --wait --timeout 60', 'banyan status --json']), status);
}

interface DomainStatus {
  domain: string;
  owner: 'monolith';
  reads: number;
  /** Name of the live store. */
  store: string;
  seeded: string;
  lagSeconds: number | null;
  caughtUp: boolean;
  problem: string | null;
  next: string;
}

async function status(context: Context, _: string[], options: Record<string, unknown>): Promise<number> {
  const log = openLog(context.config);
  const timeout = Number(options['timeout']);
  if (!(timeout >= 0)) throw cliFault('BNY-CLI-USAGE', { found: `--timeout ${options['timeout']}`, needed: 'seconds' });
  const deadline = Date.now() + timeout * 1000;
  try {
    for (;;) {
      const fold = await readControlState(log);
      const emitter = emitterOf(fold, context.config.services.maxLagMs);
      const domains = context.config.domains.map(({ name }) => statusOf(fold, name, context.config.services.maxLagMs));
      const good = emitter.problem === null && domains.every(({ problem, caughtUp }) => problem === null && caughtUp);
      const over = good || Date.now() > deadline || context.signal.aborted;
      if (!options['wait'] || over) {
        if (options['watch'] && process.stdout.isTTY) process.stdout.write('\x1b[H\x1b[2J');
        context.data(
          { emitter, domains, next_steps: domains.map(({ next }) => next).filter(Boolean) },
          render(emitter, domains),
        );
      }
      if (options['wait'] ? over : !options['watch'] || context.signal.aborted)
        return good ? EXIT.done : EXIT.differences;
      await sleep(options['watch'] ? 1000 : 200, undefined, { signal: context.signal }).catch(() => undefined);
    }
  } finally {
    await log.close();
  }
}

function emitterOf(fold: ControlFold, maxLagMs: number) {
  const record = fold.latest.get('emitter');
  const beat = record?.type === 'EmitterBeat' ? record.data : undefined;
  const ageSeconds = beat ? Math.round((Date.now() - beat.beatAt) / 100) / 10 : null;
  const late = !beat || Date.now() - beat.beatAt > maxLagMs;
  const problem = beat?.error ? `${beat.error.message}. ${beat.error.cure}` : late ? 'no sign of life' : null;
  return { instance: beat?.instance ?? null, position: beat?.position ?? null, ageSeconds, problem };
}

function statusOf(fold: ControlFold, name: string, maxLagMs: number): DomainStatus {
  const { seeded, etl, parked, reads, store } = fold.of(name);
  const [beat] = beatsOf(fold, name);
  const lagMs = beat && beat.freshAt > 0 ? Math.max(0, Date.now() - beat.freshAt) : null;
  const progress = fold.latest.get(`etl:${name}`);
  const problem = problemOf(parked, beat);
  return {
    domain: name,
    owner: 'monolith',
    reads: reads.percent,
    store: store.live,
    seeded: seeded ? 'yes' : etl ? percent(progress?.type === 'EtlProgress' ? progress.data : undefined) : 'no',
    lagSeconds: lagMs === null ? null : Math.round(lagMs / 100) / 10,
    caughtUp: seeded !== undefined && lagMs !== null && lagMs <= maxLagMs,
    problem,
    next: nextStep(name, {
      seeded: seeded !== undefined,
      running: etl !== undefined,
      parked: parked?.cure,
      problem,
      reads: reads.percent,
    }),
  };
}

function problemOf(parked: { cause: string } | undefined, beat: LatestData<'ServiceBeat'> | undefined): string | null {
  if (parked) return `parked: ${parked.cause}`;
  if (!beat) return 'no sign of life from the service';
  return beat.error ? `${beat.error.message}. ${beat.error.cure}` : null;
}

function percent(progress: LatestData<'EtlProgress'> | undefined): string {
  if (!progress) return 'starting';
  const share = progress.estimate > 0 ? Math.min(99, Math.floor((progress.rows / progress.estimate) * 100)) : 0;
  return progress.state === 'reading' ? `~${share} %` : `~${share} %, ${progress.state}: ${progress.reason}`;
}

interface Situation {
  seeded: boolean;
  running: boolean;
  parked: string | undefined;
  problem: string | null;
  reads: number;
}

function nextStep(name: string, { seeded, running, parked, problem, reads }: Situation): string {
  if (parked) return parked;
  if (running) return `banyan etl ${name}`;
  if (!seeded) return `banyan etl ${name}`;
  if (problem) return 'banyan up';
  return reads < 100 ? `banyan switch ${name} reads${reads === 0 ? ' --percent 10' : ''}` : '';
}

function render(emitter: ReturnType<typeof emitterOf>, domains: DomainStatus[]): string {
  const rows = domains.map((d) => [
    d.domain,
    d.owner,
    `${d.reads} %`,
    d.seeded,
    d.lagSeconds === null ? '-' : `${d.lagSeconds} s`,
    d.problem ?? 'ok',
    d.next,
  ]);
  const head = `emitter: ${emitter.problem ?? `live, ${emitter.ageSeconds} s ago, at ${emitter.position}`}`;
  return `${head}\n${table(['DOMAIN', 'OWNER', 'READS', 'SEEDED', 'LAG', 'STATE', 'NEXT'], rows)}`;
}
