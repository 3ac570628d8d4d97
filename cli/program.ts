import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { EXIT } from './command.ts';
import { registerConnector } from './connector.ts';
import { registerDead } from './dead.ts';
import { registerDoctor } from './doctor.ts';
import { registerEmit } from './emit.ts';
import { registerEtl } from './etl.ts';
import { registerFence } from './fence.ts';
import { registerInstall } from './install.ts';
import { registerLog } from './log.ts';
import { registerProcess } from './process.ts';
import { registerReplay } from './replay.ts';
import { registerResume } from './resume.ts';
import { registerRouter } from './router.ts';
import { registerServe } from './serve.ts';
import { registerStatus } from './status.ts';
import { registerSwitch } from './switch.ts';
import { registerUp } from './up.ts';

/** The whole command line; also what the generated help page is printed from. */
export function createProgram(): Command {
  const program = new Command('banyan')
    .description('Moves a MariaDB monolith, domain by domain, onto services of its own')
    .version(version())
    .showHelpAfterError('See `banyan --help`.')
    .exitOverride();
  const register = [
    registerInstall,
    registerDoctor,
    registerUp,
    registerEmit,
    registerServe,
    registerProcess,
    registerRouter,
    registerConnector,
    registerEtl,
    registerResume,
    registerStatus,
    registerSwitch,
    registerFence,
    registerReplay,
    registerDead,
    registerLog,
  ];
  for (const add of register) add(program);
  return program;
}

function version(): string {
  // From source the package file is one folder up, from the build two.
  for (const path of ['../package.json', '../../package.json']) {
    try {
      return (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string }).version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return 'unknown';
}

/** Runs the command line of this process. */
export async function runProgram(): Promise<void> {
  try {
    await createProgram().parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
}
