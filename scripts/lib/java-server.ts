import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jarFolder } from '../java/jar-folder.ts';
import { spawnBound } from './spawn.ts';

const DEADLINE_MS = 60_000;

/** A private server as its starter has it in hand. It dies with the process that started it. */
export interface Controls {
  folder: string;
  pid: number;
  /** SIGKILL, and wait for its end. What it keeps stays. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  pause(): void;
  resume(): void;
  /** Starts it again at the same address; one that still runs is killed first. */
  restart(extra?: Readonly<Record<string, string>>): Promise<void>;
  /** Ends it, and removes its folder if that is its own. */
  stop(): Promise<void>;
}

export interface JavaServerOptions {
  /** For messages, and for the file with its output. */
  name: string;
  folder: string;
  /** Whether the folder is to go with it. */
  own: boolean;
  properties: Readonly<Record<string, string>>;
  /** Further properties; they win. */
  extra: Readonly<Record<string, string>>;
  mainClass: string;
  heapMb: number;
  /** Whether it answers; `output` is what this run has printed so far. */
  ready(output: string): boolean | Promise<boolean>;
}

/** A private Java process with a properties file. */
export class JavaServer implements Controls {
  private child: ChildProcess | undefined;
  private readonly options: JavaServerOptions;

  private constructor(options: JavaServerOptions) {
    this.options = options;
  }

  /** Returns when it is ready; throws with the end of its output when it ends, or is not ready in time. */
  static async start(options: JavaServerOptions): Promise<JavaServer> {
    const server = new JavaServer(options);
    try {
      await server.run(options.extra);
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  get folder(): string {
    return this.options.folder;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  private async run(extra: Readonly<Record<string, string>>): Promise<void> {
    const { name, folder, mainClass, heapMb, properties, ready } = this.options;
    const file = join(folder, `${name}.properties`);
    const log = join(folder, `${name}.log`);
    await writeFile(file, propertiesText({ ...properties, ...extra }));
    const printedBefore = await stat(log).then(
      ({ size }) => size,
      () => 0,
    );
    this.child = await launch({ mainClass, args: [file], heapMb, folder, log });
    const printed = async () => (await readFile(log)).subarray(printedBefore).toString();
    for (const deadline = Date.now() + DEADLINE_MS; !this.ended && Date.now() < deadline; await sleep(50))
      if (await ready(await printed())) return;
    const problem = this.ended ? 'ended while it started' : `was not ready after ${DEADLINE_MS / 1000} s`;
    await this.end('SIGKILL');
    throw new Error(`${name} ${problem}:\n${(await printed()).trimEnd().split('\n').slice(-25).join('\n')}`);
  }

  /** Sends the signal and waits for the end; what does not heed it is killed. */
  private async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.child;
    if (!child || this.ended) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    // A stopped process would never see SIGTERM.
    child.kill('SIGCONT');
    const impatience = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await gone;
    clearTimeout(impatience);
  }

  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  async restart(extra = this.options.extra): Promise<void> {
    await this.kill();
    await this.run(extra);
  }

  pause(): void {
    this.child?.kill('SIGSTOP');
  }

  resume(): void {
    this.child?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    const { own, folder } = this.options;
    await this.end(own ? 'SIGKILL' : 'SIGTERM');
    if (own) await rm(folder, { recursive: true, force: true });
  }

  private get ended(): boolean {
    return this.child === undefined || this.child.exitCode !== null || this.child.signalCode !== null;
  }
}

interface Launch {
  mainClass: string;
  args: readonly string[];
  heapMb: number;
  folder: string;
  log: string;
}

/** Its output is appended to `log`. */
export async function launch({ mainClass, args, heapMb, folder, log }: Launch): Promise<ChildProcess> {
  const jars = jarFolder('worker');
  if (!existsSync(jars)) throw new Error('The jars of Kafka are missing: run scripts/java/install.sh');
  const temporary = join(folder, 'tmp');
  await mkdir(temporary, { recursive: true });
  const java = [
    'java',
    `-Xmx${heapMb}m`,
    '-XX:+UseSerialGC',
    '-XX:+ExitOnOutOfMemoryError',
    '-XX:-UsePerfData',
    // Unpacked native libraries outlive a SIGKILL; here they go with the folder.
    `-Djava.io.tmpdir=${temporary}`,
    '-Dorg.apache.logging.log4j.level=INFO',
    ...['-cp', join(jars, 'jars', '*'), mainClass, ...args],
  ];
  const output = await open(log, 'a');
  const child = spawnBound(java, { stdio: ['ignore', output.fd, output.fd] });
  // Without a listener a missing `java` would end this process; so the start fails and says why.
  child.once('error', (error) => void writeFile(log, `${String(error)}\n`, { flag: 'a' }));
  await output.close();
  return child;
}

export function propertiesText(properties: Record<string, string>): string {
  const escaped = (value: string) =>
    value
      .replaceAll('\\', '\\\\')
      .replaceAll('\n', '\\n')
      .replaceAll(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${escaped(value)}\n`)
    .join('');
}
