import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

/** Starts a process that ends with this one at the latest; on Linux also when this one is killed with -9. */
export function spawnBound(command: readonly string[], options: SpawnOptions): ChildProcess {
  const [program = '', ...args] = [...deathWish(), ...command];
  const child = spawn(program, args, options);
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  child.once('close', () => process.off('exit', kill));
  return child;
}

function deathWish(): string[] {
  return process.platform === 'linux' ? ['setpriv', '--pdeathsig', 'KILL'] : [];
}
