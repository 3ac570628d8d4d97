import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { answers, type CommandResult, createWorld, runBanyan, type World } from '../scripts/lib/world.ts';

/** Whatever is wrong: found, needed and cure, the exit code, and nothing changed. */
describe('bad input', () => {
  let world: World;
  let ends: string;

  beforeAll(async () => {
    world = await createWorld({ posts: 20, claps: 50, seed: 1 });
    expect((await world.banyan('install', '--yes')).code).toBe(0);
    ends = await logEnds();
  }, 120_000);
  afterAll(() => world.stop());

  const logEnds = async () =>
    JSON.stringify(((await world.banyan('log', 'stats', '--json')).json as { ends: unknown }).ends);
  const withEnv = (extra: NodeJS.ProcessEnv, ...args: string[]) => runBanyan(args, { ...world.env, ...extra });

  async function refused(
    result: CommandResult | Promise<CommandResult>,
    code: number,
    ...says: string[]
  ): Promise<void> {
    const { code: found, stderr } = await result;
    for (const text of says) expect(stderr).toContain(text);
    expect({ code: found, stderr }).toMatchObject({ code });
    expect(await logEnds()).toBe(ends);
  }

  it('names an unknown domain and the ones there are', () =>
    refused(
      world.banyan('etl', 'order', '--yes'),
      64,
      'BNY-CLI-UNKNOWN-DOMAIN',
      'one of profiles, posts, claps, publications',
    ));
  it('refuses an unknown flag', () =>
    refused(world.banyan('switch', 'posts', 'reads', '--percnt', '10'), 64, "unknown option '--percnt'"));
  it('refuses an unknown command', () => refused(world.banyan('swich'), 64, "unknown command 'swich'"));
  it('refuses 150 percent', () =>
    refused(world.banyan('switch', 'posts', 'reads', '--percent', '150', '--yes'), 64, '--percent 150', '0 to 100'));
  it('refuses a port that is none', () =>
    refused(world.banyan('serve', 'posts', '--port', '70000'), 64, '--port 70000', '1 to 65535'));
  it('refuses a chunk of no rows', () =>
    refused(world.banyan('etl', 'posts', '--chunk', '0', '--yes'), 64, '--chunk 0'));
  it('refuses to switch writes, which it cannot do', () =>
    refused(world.banyan('switch', 'posts', 'writes', '--yes'), 64, 'found:  writes'));
  it('refuses a switch before the seed, naming each guard', () =>
    refused(
      world.banyan('switch', 'posts', 'reads', '--yes'),
      3,
      'seeded: not seeded: posts',
      'caught up',
      'service healthy',
      'banyan etl posts',
    ));
  it('refuses a replay of an empty log', () =>
    refused(world.banyan('replay', 'posts', '--yes'), 3, 'posts is not seeded'));
  it('refuses an undo without a replay', () =>
    refused(world.banyan('replay', 'posts', '--undo', '--yes'), 3, 'no store to go back to'));
  it('refuses to resume what is not parked', () =>
    refused(world.banyan('resume', 'posts', '--yes'), 3, 'posts is not parked'));
  it('refuses to pause a seed that does not run', () =>
    refused(world.banyan('etl', 'posts', '--pause'), 3, 'no seed of posts is running'));
  it('refuses an event that is not there', () =>
    refused(world.banyan('log', 'show', 'posts', '7'), 64, 'no event at posts offset 7'));
  it('only shows the plan where nobody can be asked', () => refused(world.banyan('etl', 'posts'), 2, 'Add --yes'));

  it('refuses a seed while a foreign key changes rows that stand in no binlog, and no other domain', async () => {
    await world.database.raw(
      'ALTER TABLE claps ADD CONSTRAINT cascades FOREIGN KEY (post_id) REFERENCES posts (id) ON DELETE CASCADE',
    );
    await refused(
      world.banyan('etl', 'claps', '--yes'),
      3,
      'foreign_key',
      '`cascades` ON DELETE CASCADE',
      'DROP FOREIGN KEY',
    );
    await refused(
      world.banyan('switch', 'claps', 'reads', '--yes'),
      3,
      'seeded: not seeded',
      'cascades',
      'DROP FOREIGN KEY',
    );
    await refused(world.banyan('etl', 'profiles'), 2, 'Add --yes');
    await world.database.raw('ALTER TABLE claps DROP FOREIGN KEY cascades');
  });

  it('refuses a seed while the binlog is not what it needs', async () => {
    await world.database.raw('SET GLOBAL binlog_row_metadata = MINIMAL');
    await refused(
      world.banyan('etl', 'posts', '--yes'),
      3,
      'binlog_row_metadata',
      'SET GLOBAL binlog_row_metadata = FULL',
    );
    await world.database.raw('SET GLOBAL binlog_row_metadata = FULL');
  });

  it('refuses to make an account without a password, also on paper', async () => {
    const none = { BANYAN_MONOLITH_DATABASE_PASSWORD: '' };
    await refused(withEnv(none, 'install', '--yes'), 1, 'BANYAN_MONOLITH_DATABASE_PASSWORD');
    const { stdout } = await withEnv(none, 'install', '--print');
    expect(stdout).toBe('');
  });

  it('says which password of the administrator is wrong', () =>
    refused(
      withEnv({ BANYAN_ADMIN_PASSWORD: 'wrong' }, 'install', '--admin-user', 'banyan', '--yes'),
      1,
      'BNY-CDC-ACCESS',
      'Set BANYAN_ADMIN_PASSWORD',
    ));

  it('saves the log to no path where no new file can be made', async () => {
    await refused(world.banyan('log', 'backup', join(world.folder, 'nowhere', 'log.sqlite')), 64, 'nowhere');
    await refused(world.banyan('log', 'backup', world.env['BANYAN_DATA'] as string), 64, 'exists');
    writeFileSync(join(world.folder, 'half.sqlite.part'), '');
    await refused(world.banyan('log', 'backup', join(world.folder, 'half.sqlite')), 64, 'half.sqlite.part exists');
  });

  it('names the path of each wrong key in the configuration', () =>
    refused(withEnv({ BANYAN_ROUTER_PORT: '99999999' }, 'status'), 1, 'BNY-CLI-CONFIG', 'router.port'));
  it('says where it looked for a configuration', () =>
    refused(world.banyan('status', '--config', 'elsewhere.ts'), 1, 'BNY-CLI-NO-CONFIG', 'elsewhere.ts'));
  it('refuses keys that it does not know', async () => {
    const file = join(world.folder, 'wrong.config.mjs');
    writeFileSync(
      file,
      "export default { monolith: { url: 'http://127.0.0.1', database: { shema: 'x' } }, domains: [] }",
    );
    await refused(
      world.banyan('status', '--config', file),
      1,
      'BNY-CLI-CONFIG',
      'monolith.database',
      'shema',
      'domains',
    );
  });

  it('stops at a wrong password and says whose', async () => {
    const wrong = { BANYAN_MONOLITH_DATABASE_PASSWORD: 'wrong' };
    const { code, stderr } = await withEnv(wrong, 'emit');
    expect(stderr).toContain('BNY-CDC-ACCESS');
    expect(code).toBe(1);
    const doctor = await withEnv(wrong, 'doctor');
    expect(doctor.code).toBe(1);
    expect(doctor.stdout).toContain('banyan install');
    ends = await logEnds();
  });

  it('finds a database and a monolith that do not answer, both at once', async () => {
    const { code, stdout } = await withEnv(
      { BANYAN_MONOLITH_DATABASE_PORT: '1', BANYAN_MONOLITH_URL: 'http://127.0.0.1:2' },
      'doctor',
    );
    expect(code).toBe(1);
    expect(stdout).toContain('127.0.0.1:1');
    expect(stdout).toContain('http://127.0.0.1:2');
  });

  it('names the port that is in use', async () => {
    const taken = createServer().listen(Number(new URL(world.urls.router).port), '127.0.0.1');
    await refused(world.banyan('router'), 1, 'BNY-ROUTER-PORT-IN-USE');
    taken.close();
    const other = createServer().listen(Number(new URL(world.urls.services['posts'] as string).port), '127.0.0.1');
    await refused(world.banyan('serve', 'posts'), 1, 'BNY-SERVICE-PORT');
    other.close();
  });

  it('lets only one `banyan up` work on a data folder', async () => {
    const env = { ...world.env, BANYAN_LOG_LEVEL: 'info' };
    const first = spawn(process.execPath, ['cli/main.ts', 'up'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    first.stderr.on('data', (text: Buffer) => (said += text.toString()));
    const ended = new Promise((gone) => first.once('exit', gone));
    try {
      await answers(`${world.urls.router}/healthz`);
      const second = await world.banyan('up');
      expect(second.stderr).toContain('BNY-CLI-UP-TWICE');
      expect(second.code).toBe(1);
      expect((await world.banyan('etl', 'profiles', '--yes')).code).toBe(0);
      const twice = await world.banyan('etl', 'profiles', '--yes');
      expect(twice).toMatchObject({ code: 3 });
      expect(twice.stderr).toContain('profiles was seeded at');
      const told = `banyan: router at ${world.urls.router}, its health and metrics at ${world.urls.admin}; services: profiles`;
      expect(said).toContain(told);
      expect(said).toContain(`claps ${world.urls.services['claps']}`);
      const early = await world.banyan('uninstall', '--yes');
      expect(early).toMatchObject({ code: 3, stderr: expect.stringContaining('no emitter') });
    } finally {
      first.kill('SIGTERM');
      await ended;
    }
  }, 120_000);

  it('keeps its data from everybody else on the machine', () => {
    const data = world.env['BANYAN_DATA'] as string;
    const files = [data, ...readdirSync(data, { recursive: true, encoding: 'utf8' }).map((name) => join(data, name))];
    expect(files.length).toBeGreaterThan(6);
    expect(files.filter((file) => (statSync(file).mode & 0o077) !== 0)).toEqual([]);
  });

  it('refuses the log of another monolith', async () => {
    const other = await createWorld({ posts: 20, claps: 50, seed: 2 });
    try {
      expect((await other.banyan('install', '--yes')).code).toBe(0);
      const { code, stderr } = await runBanyan(['emit'], { ...other.env, BANYAN_DATA: world.env['BANYAN_DATA'] });
      expect(code).toBe(1);
      expect(stderr).toMatch(/BNY-CDC-(OTHER-SERVER|DIVERGED)/);
    } finally {
      await other.stop();
    }
  }, 120_000);

  it('raises a damaged log and skips nothing', async () => {
    const data = join(world.folder, 'damaged');
    mkdirSync(data);
    writeFileSync(join(data, 'log.sqlite'), 'not a database '.repeat(1000));
    const { code, stderr } = await withEnv({ BANYAN_DATA: data }, 'status');
    expect({ code, stderr }).toMatchObject({ code: 1 });
    expect(stderr).toContain('BNY-LOG-DAMAGED');
    const truncated = join(world.folder, 'truncated');
    cpSync(world.env['BANYAN_DATA'] as string, truncated, { recursive: true });
    writeFileSync(join(truncated, 'log.sqlite'), Buffer.alloc(8192, 1), { flag: 'r+' });
    expect((await withEnv({ BANYAN_DATA: truncated }, 'status')).stderr).toContain('BNY-LOG-DAMAGED');
  });
});
