import { parseArgs } from 'node:util';
import { PROFILES, type Profile } from '../lib/world.ts';
import { faults } from './faults.ts';

export const FAULT_ROUNDS_CI = 10;

/** `scripts/test faults --rounds N --seed S [--time-limit SECONDS] [--profile NAME]` */
export async function runFaults(args: string[]): Promise<{ passed: number; failed: number }> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      'time-limit': { type: 'string' },
      profile: { type: 'string', default: 'embedded' },
    },
  });
  const [rounds, seed, limit] = [
    Number(values.rounds),
    Number(values.seed),
    Number(values['time-limit'] ?? Number.POSITIVE_INFINITY),
  ];
  if (![rounds, seed].every(Number.isInteger) || rounds < 1 || Number.isNaN(limit)) {
    process.stderr.write(
      'scripts/test faults: needed --rounds N, --seed S as whole numbers and --time-limit in seconds\n',
    );
    process.exit(64);
  }
  if (!(values.profile in PROFILES)) {
    process.stderr.write(
      `scripts/test faults: found --profile ${values.profile}; needed: ${Object.keys(PROFILES).join(', ')}\n`,
    );
    process.exit(64);
  }
  const verdicts = await faults({
    profile: values.profile as Profile,
    rounds,
    seed,
    timeLimitMs: limit * 1000,
    say: (line) => process.stdout.write(`${line}\n`),
  });
  const failed = verdicts.filter(({ ok }) => !ok);
  for (const { name, ok, found } of verdicts) process.stdout.write(`${ok ? 'passed' : 'FAILED'}: ${name}: ${found}\n`);
  return { passed: verdicts.length - failed.length, failed: failed.length };
}
