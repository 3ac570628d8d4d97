import { type Command, Option } from 'commander';
import {
  type ControlData,
  controlEvent,
  type DomainControl,
  type EventLog,
  followControl,
  type LatestData,
  readControlState,
} from '../log/index.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { openLog } from './config/adapters.ts';
import { cliFault } from './errors.ts';
import { enforce, notParked, sourceGuards } from './guards.ts';
import { ProgressLine } from './progress-line.ts';
import { noteSilence, readsStep } from './situation.ts';

export function registerEtl(program: Command): void {
  const command = program
    .command('etl')
    .description(
      "Seed a domain: its tables' rows become events, once, while the monolith takes writes. The emitter does it; this follows",
    )
    .argument('<domain>', 'what to seed')
    .addOption(new Option('--chunk <rows>', 'rows in a chunk; also changes a running seed'))
    .addOption(
      new Option(
        '--max-load <variable=limit>',
        "wait while the server's status variable is above; also changes a running seed",
      ),
    )
    .option('--pause', 'pause the running seed')
    .option('--resume', 'let a paused seed go on')
    .option('--detach', 'ask for it and do not follow')
    .option('--yes', 'act on the plan');
  handle(
    standard(command, [
      'banyan etl orders --yes',
      'banyan etl orders --max-load Threads_running=25 --yes',
      'banyan etl orders --pause',
    ]),
    etl,
  );
}

interface EtlOptions {
  chunk?: string;
  maxLoad?: string;
  pause?: boolean;
  resume?: boolean;
  detach?: boolean;
}

async function etl(context: Context, [name = '']: string[], options: EtlOptions): Promise<number> {
  context.domain(name);
  const log = await openLog(context.config);
  try {
    const fold = await readControlState(log);
    const control = fold.of(name);
    const tuning = tuningOf(name, options);
    enforce([notParked(fold, name)]);
    if (tuning && control.etl) {
      await log.post([controlEvent('EtlTuned', tuning, context.actor)]);
      context.data(tuning, `${name}: the running seed was told`);
      if (options.pause || options.detach) return EXIT.done;
    } else if (options.pause || options.resume) {
      throw cliFault('BNY-CLI-REFUSED', {
        found: `no seed of ${name} is running`,
        needed: 'a running seed',
        cure: `banyan etl ${name}`,
      });
    } else if (!control.etl) {
      refuse(name, control);
      enforce(await sourceGuards(context, [name]));
      if (!(await request(context, log, name, options))) return EXIT.differences;
    }
    noteSilence(context, fold);
    return options.detach ? EXIT.done : await follow(context, log, name);
  } finally {
    await log.close();
  }
}

function refuse(name: string, { seeded }: DomainControl): void {
  if (!seeded) return;
  throw cliFault('BNY-CLI-REFUSED', {
    found: `${name} was seeded at ${seeded.at} (${seeded.rows} rows)`,
    needed: 'a domain that is not seeded',
    cure: `Nothing needs to be done: its changes are followed since. To begin anew: banyan resume ${name} --reseed`,
  });
}

function tuningOf(domain: string, { chunk, maxLoad, pause, resume }: EtlOptions): ControlData<'EtlTuned'> | undefined {
  if (chunk === undefined && maxLoad === undefined && !pause && !resume) return undefined;
  return {
    domain,
    ...((pause || resume) && { paused: pause === true }),
    ...(chunk !== undefined && { chunkRows: parseChunk(chunk) }),
    ...(maxLoad !== undefined && { maxLoad: parseLoad(maxLoad) }),
  };
}

function parseChunk(text: string): number {
  const rows = Number(text);
  if (Number.isInteger(rows) && rows >= 10 && rows <= 100_000) return rows;
  throw cliFault('BNY-CLI-USAGE', { found: `--chunk ${text}`, needed: 'a whole number from 10 to 100000' });
}

function parseLoad(text: string): { variable: string; limit: number } | null {
  if (text === 'none') return null;
  const match = /^(\w+)=(\d+)$/.exec(text);
  if (match) return { variable: match[1] as string, limit: Number(match[2]) };
  throw cliFault('BNY-CLI-USAGE', {
    found: `--max-load ${text}`,
    needed: 'VARIABLE=NUMBER, such as Threads_running=25, or none',
  });
}

async function request(
  context: Context,
  log: EventLog,
  domain: string,
  { chunk, maxLoad }: EtlOptions,
): Promise<boolean> {
  const chunkRows = chunk === undefined ? 1000 : parseChunk(chunk);
  const tables = Object.keys(context.domain(domain).tables).join(', ');
  const plan = [`read ${tables} in chunks of ${chunkRows} rows, without locks, and append each row as an event`];
  if (!(await context.confirm(plan))) return false;
  const run = `${domain}-${new Date().toISOString()}`;
  await log.post([
    controlEvent(
      'EtlRequested',
      { domain, run, chunkRows, maxLoad: maxLoad ? parseLoad(maxLoad) : null },
      context.actor,
    ),
  ]);
  return true;
}

/** Follows the seed to its end; an interrupt ends the following, not the seed. */
async function follow(context: Context, log: EventLog, domain: string): Promise<number> {
  const line = new ProgressLine();
  let told = '';
  for await (const fold of followControl(log, context.signal)) {
    const { seeded, parked, etl, reads } = fold.of(domain);
    const latest = fold.latest.get(`etl:${domain}`);
    if (latest?.type === 'EtlProgress' && latest.data.run === etl?.run) {
      const text = describe(latest.data);
      if (context.options.json && text !== told) context.data({ type: 'progress', ...latest.data }, '');
      else if (!context.options.json) line.show(text);
      told = text;
    }
    if (parked) {
      line.end();
      throw cliFault('BNY-CLI-REFUSED', { found: `${domain} was parked: ${parked.cause}`, cure: parked.cure });
    }
    if (seeded) {
      line.end();
      const next = ['banyan status --wait', readsStep(domain, reads.percent)].filter(Boolean);
      context.data(
        { type: 'done', domain, ...seeded, next_steps: next },
        `${domain}: seeded, ${seeded.rows} rows. Next: ${next.at(-1)}`,
      );
      return EXIT.done;
    }
  }
  line.end();
  context.note(`The seed of ${domain} goes on in the emitter. Follow it again with: banyan etl ${domain}`);
  return EXIT.interrupted;
}

function describe({ domain, table, rows, estimate, rowsPerSecond, state, reason }: LatestData<'EtlProgress'>): string {
  if (state === 'paused')
    return `${domain}.${table}: ${rows} rows; ${reason}. Let it go on with: banyan etl ${domain} --resume`;
  const percent = estimate > 0 ? Math.min(99, Math.floor((rows / estimate) * 100)) : 0;
  const seconds = rowsPerSecond > 0 ? Math.round((estimate - rows) / rowsPerSecond) : undefined;
  const eta = percent < 1 || seconds === undefined ? 'N/A' : `${seconds} s`;
  const why = reason ? `; ${state}, ${reason}` : '';
  return `${domain}.${table}: ${rows} rows, ~${percent} % (estimate), ${rowsPerSecond} rows/s, ETA ${eta}${why}`;
}
