import type { Command } from 'commander';
import { connect } from '../cdc/connection.ts';
import type { Finding, Source } from '../cdc/index.ts';
import { BanyanError, type ControlFold } from '../log/index.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { checkLog, checkStores, controlOf, openSource } from './config/adapters.ts';
import { serviceUrl } from './config/places.ts';
import { comesThrough } from './probe.ts';
import { reach } from './reach.ts';
import { emitterOf, serviceOf } from './situation.ts';

export function registerDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description('Check everything Banyan needs, and say all findings at once, each with its cure');
  handle(standard(command, ['banyan doctor', 'banyan doctor --json']), doctor);
}

const PROBE_MS = 10_000;

async function doctor(context: Context): Promise<number> {
  const source = openSource(context.config, context.logger);
  try {
    const [database, ...others] = await Promise.all([
      databaseFindings(source),
      monolithFinding(context),
      serviceFindings(context),
      checkStores(context.config),
      logFindings(context),
    ]);
    const all = [...database, ...others.flat()];
    if (!database.some(({ level }) => level === 'error')) all.push(...(await probe(context, source)));
    const errors = all.filter(({ level }) => level === 'error').length;
    context.data({ ok: errors === 0, findings: all }, render(all));
    return errors === 0 ? EXIT.done : EXIT.error;
  } finally {
    await source.close();
  }
}

async function databaseFindings(source: Source): Promise<Finding[]> {
  try {
    return await source.check();
  } catch (error) {
    return [findingOf('database', error, 'a database that answers')];
  }
}

/** @throws what nobody foresaw */
function findingOf(check: string, error: unknown, needed: string): Finding {
  if (!BanyanError.is(error)) throw error;
  const { found, message, cure } = error;
  return { check, level: 'error', found: found ?? message, needed: error.needed ?? needed, cure };
}

/** What emitter, services and domains have said of themselves in the log. */
async function logFindings({ config }: Context): Promise<Finding[]> {
  const findings = await checkLog(config);
  if (findings.some(({ level }) => level === 'error')) return findings;
  try {
    const fold = await controlOf(config);
    return [
      ...findings,
      ...emitterFinding(fold, config),
      ...config.domains.flatMap(({ name }) => domainFindings(fold, name)),
    ];
  } catch (error) {
    return [...findings, findingOf('log', error, 'a log that can be read')];
  }
}

function emitterFinding(fold: ControlFold, config: Context['config']): Finding[] {
  const { problem, cure, hopeless } = emitterOf(fold, config);
  if (problem === null) return [];
  return [{ check: 'emitter', level: hopeless ? 'error' : 'warning', found: problem, needed: 'a live emitter', cure }];
}

function domainFindings(fold: ControlFold, name: string): Finding[] {
  const { parked } = fold.of(name);
  const { stopped, problem, cure } = serviceOf(fold, name);
  const findings: Finding[] = [];
  if (parked) {
    const found = `parked since ${parked.since}: ${parked.cause}`;
    findings.push({ check: `domain ${name}`, level: 'error', found, needed: 'a live domain', cure: parked.cure });
  }
  if (stopped) {
    const found = `${stopped}: ${problem}`;
    findings.push({ check: `projector ${name}`, level: 'error', found, needed: 'a projector that goes on', cure });
  }
  return findings;
}

async function monolithFinding({ config }: Context): Promise<Finding[]> {
  const { url } = config.monolith;
  const problem = await reach(url);
  if (!problem) return [];
  return [
    {
      check: 'monolith',
      level: 'error',
      found: `${url}: ${problem}`,
      needed: 'an HTTP answer',
      cure: 'Start the monolith, or correct `monolith.url`.',
    },
  ];
}

async function serviceFindings({ config }: Context): Promise<Finding[]> {
  const checks = config.domains.map(async ({ name }): Promise<Finding[]> => {
    const url = serviceUrl(config, name);
    const problem = await reach(`${url}/livez`);
    if (!problem) return [];
    return [
      {
        check: `service ${name}`,
        level: 'warning',
        found: `${url}: ${problem}`,
        needed: 'a running service',
        cure: `banyan up, or banyan serve ${name}`,
      },
    ];
  });
  return (await Promise.all(checks)).flat();
}

async function probe({ config, signal }: Context, source: Source): Promise<Finding[]> {
  const { banyanSchema, database } = config.monolith;
  const needed = 'the probe row in the stream';
  try {
    const within = AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]);
    if (await comesThrough(source, () => connect(database), banyanSchema, within)) return [];
    return [
      {
        check: 'probe',
        level: 'error',
        found: `no probe row after ${PROBE_MS / 1000} s`,
        needed,
        cure: `Run \`banyan install\` again: the heartbeat row may be gone. Then look for what keeps \`${banyanSchema}\` out of the binlog.`,
      },
    ];
  } catch (error) {
    const fault = BanyanError.is(error) ? error : undefined;
    return [{ check: 'probe', level: 'error', found: String(error), needed, cure: fault?.cure ?? 'banyan install' }];
  }
}

function render(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'All is well: every setting is right, and a probe row came through the stream.';
  return findings
    .map(
      ({ check, level, found, needed, cure }) =>
        `[${level === 'error' ? '-' : '!'}] ${check}\n    found:  ${found}\n    needed: ${needed}\n    cure:   ${cure}`,
    )
    .join('\n');
}
