import { execFile } from 'node:child_process';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { spawnBound } from './spawn.ts';

/** A private MariaDB: own data folder, free port, loopback. Dies with the process that started it. */
export interface Mariadb {
  host: string;
  port: number;
  user: string;
  password: string;
  folder: string;
  pid: number;
  /** SIGKILL, and wait for its end. The data folder stays. */
  kill(): Promise<void>;
  /** Starts it again on the same folder and port, after `kill` or `stop`. */
  restart(extra?: readonly string[]): Promise<void>;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

export interface MariadbOptions {
  /** Kept between runs when given; else a new folder that `stop` removes. */
  folder?: string;
  /** Further server options; they come last and so win. */
  extra?: readonly string[];
}

/** What change capture needs, and what a server for tests can do without. */
const SETTINGS = [
  '--bind-address=127.0.0.1',
  '--log-bin=binlog',
  '--binlog-format=ROW',
  '--binlog-row-image=FULL',
  '--binlog-row-metadata=FULL',
  '--binlog-annotate-row-events=OFF',
  '--server-id=1',
  '--gtid-strict-mode=ON',
  '--sync-binlog=1',
  '--innodb-flush-log-at-trx-commit=1',
  '--innodb-buffer-pool-size=256M',
  '--innodb-log-file-size=128M',
  '--character-set-server=utf8mb4',
  '--skip-name-resolve',
  '--local-infile=1',
  '--max-connections=300',
];

export async function startMariadb({ folder, extra = [] }: MariadbOptions = {}): Promise<Mariadb> {
  const own = folder === undefined;
  const home = folder ?? (await mkdtemp(join(tmpdir(), 'banyan-mariadb-')));
  const port = await freePort();
  await install(home);
  let server = await launch(home, port, extra);

  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const gone = new Promise((resolve) => server.once('exit', resolve));
    server.kill(signal);
    await gone;
  };
  return {
    host: '127.0.0.1',
    port,
    user: 'root',
    password: '',
    folder: home,
    get pid() {
      return server.pid ?? 0;
    },
    kill: () => end('SIGKILL'),
    async restart(newExtra = extra) {
      server = await launch(home, port, newExtra);
    },
    async stop() {
      await end(own ? 'SIGKILL' : 'SIGTERM');
      if (own) await rm(home, { recursive: true, force: true });
    },
  };
}

async function install(folder: string): Promise<void> {
  const exists = await open(join(folder, 'data', 'ibdata1')).then(
    (file) => file.close().then(() => true),
    () => false,
  );
  if (exists) return;
  await promisify(execFile)('mariadb-install-db', [
    '--no-defaults',
    `--datadir=${join(folder, 'data')}`,
    `--tmpdir=${folder}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    ...asRoot(),
  ]);
}

async function launch(folder: string, port: number, extra: readonly string[]) {
  const errorLog = join(folder, 'error.log');
  const options = [
    '--no-defaults',
    `--datadir=${join(folder, 'data')}`,
    `--tmpdir=${folder}`,
    `--socket=${join(folder, 's')}`,
    `--pid-file=${join(folder, 'pid')}`,
    `--port=${port}`,
    `--log-error=${errorLog}`,
    ...SETTINGS,
    ...asRoot(),
    ...extra,
  ];
  const server = spawnBound(['mariadbd', ...options], { stdio: 'ignore' });
  for (let attempt = 0; attempt < 600; attempt++) {
    if (server.exitCode !== null) break;
    const ready = await mysql.createConnection({ host: '127.0.0.1', port, user: 'root' }).then(
      (connection) => connection.end().then(() => true),
      () => false,
    );
    if (ready) return server;
    await sleep(50);
  }
  server.kill('SIGKILL');
  throw new Error(`MariaDB did not start:\n${await readFile(errorLog, 'utf8').catch(() => 'no error log')}`);
}

function asRoot(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

/** A port that nothing listens on; `wanted` itself, or an error. */
export async function freePort(wanted = 0): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(wanted, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
