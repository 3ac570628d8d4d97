import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAULT_ROUNDS_CI, runFaults } from './faults/cli.ts';

/** `scripts/test [level] …`: runs the levels in turn and ends with `N passed, N failed`. */
interface Outcome {
  passed: number;
  failed: number;
}

const args = process.argv.slice(2);

const jestLevel = (suffix: string) => () => jest(`\\.${suffix}\\.test\\.ts$`);

/** With this seed: the broker, Connect, a service. */
const FAULTS_ON_KAFKA = ['--profile', 'kafka', '--rounds', '3', '--seed', '73'];

const LEVELS: Record<string, (args: string[]) => Outcome | Promise<Outcome>> = {
  check: () =>
    sum(
      ['typecheck', 'lint', 'unused', 'package'].map((name) =>
        command('npm', ['run', '--silent', `check:${name}`], `check ${name}`),
      ),
    ),
  unit: jestLevel('unit'),
  int: jestLevel('int'),
  e2e: jestLevel('e2e'),
  kafka: kafkaLevel,
  faults: runFaults,
};

const named = args[0] && args[0] in LEVELS ? [args[0]] : args.length === 0 ? Object.keys(LEVELS) : undefined;
if (!named) {
  process.stderr.write(
    `scripts/test: found ${args[0]}; needed: ${Object.keys(LEVELS).join(', ')}, or nothing for all\n`,
  );
  process.exit(64);
}
const outcomes: Outcome[] = [];
for (const level of named) {
  const started = Date.now();
  const rest = args.length === 0 && level === 'faults' ? ['--rounds', String(FAULT_ROUNDS_CI)] : args.slice(1);
  const outcome = await (LEVELS[level] as (typeof LEVELS)[string])(rest);
  process.stdout.write(
    `${level}: ${outcome.passed} passed, ${outcome.failed} failed in ${Math.round((Date.now() - started) / 1000)} s\n`,
  );
  outcomes.push(outcome);
}
const total = sum(outcomes);
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);

/** Among all levels, a machine that cannot have Java leaves this one out; CI and who names it get a failure. */
async function kafkaLevel(): Promise<Outcome> {
  const { status } = spawnSync('bash', ['scripts/java/install.sh'], { stdio: 'inherit' });
  if (status === 0) return sum([jestLevel('kafka')(), await runFaults(FAULTS_ON_KAFKA)]);
  return { passed: 0, failed: args.length > 0 || process.env['CI'] ? 1 : 0 };
}

function sum(all: Outcome[]): Outcome {
  return all.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed }), { passed: 0, failed: 0 });
}

function command(program: string, args: string[], name: string): Outcome {
  const { status } = spawnSync(program, args, { stdio: 'inherit' });
  if (status !== 0) process.stdout.write(`failed: ${name}\n`);
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

function jest(pattern: string): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-test-'));
  const report = join(folder, 'report.json');
  const options = ['--testPathPatterns', pattern, '--json', `--outputFile=${report}`, '--maxWorkers=2'];
  spawnSync(
    process.execPath,
    ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', ...options],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites };
  } catch {
    process.stdout.write('failed: jest left no report\n');
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
