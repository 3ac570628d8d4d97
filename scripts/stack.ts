import { resolve } from 'node:path';
import { Command } from 'commander';
import { table } from '../cli/table.ts';
import { down, health, up } from './lib/stack/stack.ts';
import { supervise } from './lib/stack/supervisor.ts';

/** `scripts/stack up|status|down`: MariaDB, Kafka and Kafka Connect with Debezium, as private servers of this machine. */
interface Options {
  folder: string;
  json?: true;
}

const print = (text: string) => process.stdout.write(`${text}\n`);

async function startStack({ folder, json }: Options): Promise<void> {
  const began = performance.now();
  const { state, found } = await up(folder);
  const addresses = state.parts.map(({ name, address }) => [name, address] as const);
  if (json) return void print(JSON.stringify({ found, folder, ...Object.fromEntries(addresses) }));
  print(found === 'running' ? 'It runs already.' : `Ready after ${((performance.now() - began) / 1000).toFixed(1)} s.`);
  print(
    table(
      ['PART', 'ADDRESS'],
      addresses.map((row) => [...row]),
    ),
  );
  print('MariaDB: user root, no password. All of it listens on this machine only and goes with `scripts/stack down`.');
}

async function endStack({ folder, json }: Options): Promise<void> {
  const ended = await down(folder);
  if (json) print(JSON.stringify({ ended, folder }));
  else print(ended ? `Ended; ${folder} is removed.` : `No stack in ${folder}.`);
}

function showStack({ folder, json }: Options): void {
  const parts = health(folder);
  if (parts.length < 4 || parts.some(({ live }) => !live)) process.exitCode = 1;
  if (json) return void print(JSON.stringify({ folder, parts }));
  if (parts.length === 0) return void print(`No stack in ${folder}.`);
  const rows = parts.map(({ name, live, pid, memoryMb, address }) =>
    live ? [name, 'live', String(pid), `${memoryMb} MB`, address] : [name, 'dead', String(pid)],
  );
  print(table(['PART', 'STATE', 'PID', 'MEMORY', 'ADDRESS'], rows));
}

const program = new Command('scripts/stack').description(
  'MariaDB, Kafka and Kafka Connect with Debezium, without Docker',
);
program.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 64));

function command(name: string, description: string, act: (options: Options) => void | Promise<void>): Command {
  return program
    .command(name)
    .description(description)
    .option('--folder <folder>', 'its data and its state, seen from the checkout', '.banyan/stack')
    .option('--json', 'print one line of JSON')
    .action((options: Options) => act({ ...options, folder: resolve(options.folder) }));
}

command('up', 'start it, after a crash anew, and return when all of it is ready', startStack);
command('status', 'say what lives; exit code 1 unless all of it does', showStack);
command('down', 'end what was started, and remove the folder', endStack);
program
  .command('supervise', { hidden: true })
  .requiredOption('--folder <folder>')
  .action(({ folder }: Options) => supervise(folder));

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`scripts/stack: ${error instanceof Error ? error.message : String(error)}\n`);
  // A supervisor that failed has parts that would keep it.
  process.exit(1);
}
