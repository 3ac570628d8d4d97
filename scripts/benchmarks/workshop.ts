import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Mariadb, startMariadb } from '../lib/mariadb.ts';
import { spawnBound } from '../lib/spawn.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

export interface StartOptions {
  env?: NodeJS.ProcessEnv;
  /** The only core it may use, where `taskset` is installed. */
  core?: number;
  /** Write a CPU profile when it ends, if profiles were asked for. */
  profiled?: boolean;
}

/** Where one benchmark works: a folder of its own and everything it starts. `close` leaves nothing behind. */
export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), 'banyan-bench-'));
  readonly #profiles: string | undefined;
  readonly #ends = new AsyncDisposableStack();

  constructor(profiles: string | undefined) {
    this.#profiles = profiles;
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  async mariadb(): Promise<Mariadb> {
    const server = await startMariadb({ folder: this.path('mariadb') });
    this.#ends.defer(() => server.stop());
    return server;
  }

  defer(end: () => Promise<unknown>): void {
    this.#ends.defer(async () => {
      await end();
    });
  }

  /** Starts Node on a file of the repository. */
  node(script: string, args: readonly string[], options: StartOptions = {}): Part {
    const profile = options.profiled && this.#profiles ? ['--cpu-prof', `--cpu-prof-dir=${this.#profiles}`] : [];
    return this.start(process.execPath, [...profile, script, ...args], options);
  }

  start(program: string, args: readonly string[], { env, core }: StartOptions = {}): Part {
    const command = [...pinned(core), program, ...args];
    const options: SpawnOptions = {
      cwd: REPOSITORY,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    };
    const part = new Part(spawnBound(command, options), [program, ...args].join(' '));
    this.#ends.defer(() => part.stop('SIGKILL'));
    return part;
  }

  async close(): Promise<void> {
    await this.#ends.disposeAsync();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function pinned(core: number | undefined): string[] {
  return core !== undefined && process.platform === 'linux' ? ['taskset', '-c', String(core)] : [];
}

const COMPLAINTS_LENGTH = 4000;

/** A process that this one has started. */
export class Part {
  readonly #child: ChildProcess;
  readonly #command: string;
  readonly #lines: string[] = [];
  #text = '';
  #complaints = '';
  #heard: () => void = () => undefined;
  readonly #ended: Promise<number | null>;

  constructor(child: ChildProcess, command: string) {
    this.#child = child;
    this.#command = command;
    this.#ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    this.#ended.catch(() => undefined).finally(() => this.#heard());
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => this.#read(chunk));
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#complaints = (this.#complaints + chunk).slice(-COMPLAINTS_LENGTH);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The next line of its output. @throws when it ends without one */
  async line(): Promise<string> {
    while (this.#lines.length === 0) {
      if (!this.running) await this.#ended;
      if (!this.running && this.#lines.length === 0) throw this.failure();
      if (this.#lines.length === 0) await new Promise<void>((resolve) => (this.#heard = resolve));
    }
    return this.#lines.shift() as string;
  }

  /** The next line of its output as JSON. */
  async answer<T>(): Promise<T> {
    return JSON.parse(await this.line()) as T;
  }

  /** Its whole output, once it has ended well. */
  async output(): Promise<string> {
    const code = await this.#ended;
    const text = [...this.#lines, this.#text].join('\n');
    if (code !== 0) throw this.failure();
    return text;
  }

  /** That it has ended too early, with the last of what it wrote to stderr. */
  failure(): Error {
    return new Error(`${this.#command} ended with ${this.#child.exitCode}:\n${this.#complaints}`);
  }

  /** Asks it to end and waits until it has. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.running) this.#child.kill(signal);
    await this.#ended.catch(() => undefined);
  }

  #read(chunk: string): void {
    const lines = (this.#text + chunk).split('\n');
    this.#text = lines.pop() ?? '';
    this.#lines.push(...lines);
    this.#heard();
  }
}
