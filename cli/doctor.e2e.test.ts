import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { controlEvent, latestEvent, type NewEvent, openSqliteLog, topicsFor } from '../log/index.ts';
import { createWorld, DOMAINS, runBanyan, type World } from '../scripts/lib/world.ts';

interface Report {
  ok: boolean;
  findings: { check: string; level: string; found: string; cure: string }[];
}

/** The findings of the source have tests of their own; here it is the command and the path as a whole. */
describe('banyan doctor', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ posts: 20, claps: 50, seed: 1 });
  }, 120_000);
  afterAll(() => world.stop());

  const doctor = async (env: NodeJS.ProcessEnv = {}) => {
    const { code, json } = await runBanyan(['doctor', '--json'], { ...world.env, ...env });
    return { code, ...(json as Report) };
  };

  it('says that nothing is installed, and with which command it is', async () => {
    const { code, ok, findings } = await doctor();
    expect({ code, ok }).toEqual({ code: 1, ok: false });
    expect(findings.map(({ cure }) => cure).join()).toContain('banyan install');
  });

  it('is not sent back to an installation that said it was done while an anonymous account hides its own', async () => {
    await world.database.raw("CREATE USER ''@'127.0.0.1'");
    const { code, stderr } = await world.banyan('install', '--yes');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("DROP USER IF EXISTS ''@'127.0.0.1'"),
    });
    await world.database.raw("DROP USER ''@'127.0.0.1'");
  });

  it('finds all at once: settings with the SQL that puts them right, the monolith, the services', async () => {
    expect((await world.banyan('install', '--yes')).code).toBe(0);
    await world.database.raw('SET GLOBAL binlog_row_metadata = MINIMAL, GLOBAL binlog_format = MIXED');
    const { code, findings } = await doctor({ BANYAN_MONOLITH_URL: 'http://127.0.0.1:2' });
    await world.database.raw('SET GLOBAL binlog_row_metadata = FULL, GLOBAL binlog_format = ROW');
    expect(code).toBe(1);
    const text = findings.map(({ found, cure }) => `${found} ${cure}`).join('\n');
    for (const part of [
      'SET GLOBAL binlog_row_metadata',
      'SET GLOBAL binlog_format',
      'http://127.0.0.1:2',
      'banyan serve posts',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('ends well with only warnings about services that do not run', async () => {
    const { code, ok, findings } = await doctor();
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    expect(new Set(findings.map(({ level }) => level))).toEqual(new Set(['warning']));
  });

  it('looks at the server of the stores too, and warns where it is the monolith’s', async () => {
    const { port, user } = world.mariadb;
    const env = { BANYAN_SERVICES_STORE_KIND: 'mysql', BANYAN_SERVICES_STORE_HOST: '127.0.0.1' };
    const at = { ...env, BANYAN_SERVICES_STORE_PORT: String(port) };
    expect((await doctor({ ...at, BANYAN_SERVICES_STORE_USER: user })).findings).toContainEqual(
      expect.objectContaining({ check: 'stores server', level: 'warning' }),
    );
    const { code, findings } = await doctor(at);
    expect(code).toBe(1);
    expect(findings.find(({ check }) => check === 'stores')?.cure).toContain('CREATE USER');
  });

  it('notices that the binlog hides Banyan’s own schema', async () => {
    await world.mariadb.kill();
    await world.mariadb.restart(['--binlog-ignore-db=banyan']);
    const { code, findings } = await doctor();
    expect(code).toBe(1);
    expect(findings.filter(({ level }) => level === 'error')).toMatchObject([{ check: 'binlog_ignore_db' }]);
    await world.mariadb.kill();
    await world.mariadb.restart();
  }, 60_000);

  it('notices by its probe row that a change does not come through, though every setting is right', async () => {
    await world.database.raw('DELETE FROM banyan.heartbeat');
    const { code, findings } = await doctor();
    expect(code).toBe(1);
    expect(findings.filter(({ level }) => level === 'error')).toMatchObject([
      { check: 'probe', cure: expect.stringContaining('banyan install') },
    ]);
    expect((await world.banyan('install', '--yes')).code).toBe(0);
    expect((await doctor()).code).toBe(0);
  }, 60_000);

  it('reports what has stopped: a parked domain, a projector, the emitter, each with its cure', async () => {
    const why = { cause: 'a column is gone', cure: 'Give it back.', position: 'p', reseed: false };
    const stopped = { state: 'stopped' as const, instance: 'i' };
    const misfit = { code: 'BNY-SERVICE-PROJECTION', message: 'a row would not fit', cure: 'Correct the handler.' };
    const beat = { domain: 'claps', url: 'u', store: '1', freshAt: 0 };
    const purged = { code: 'BNY-CDC-PURGED', message: 'the binlog is gone', cure: 'Seed again.' };
    const life = { position: 'p', beatAt: 0 };
    const sign = () =>
      post(latestEvent('ServiceBeat', 'service:claps:u', { ...beat, ...stopped, error: misfit }, 'test'));
    await post(
      controlEvent('DomainParked', { domain: 'posts', ...why }, 'test'),
      latestEvent('EmitterBeat', 'emitter', { ...life, ...stopped, error: purged }, 'test'),
    );
    await sign();
    // As a projector does: one that says nothing any more is silent, whatever it said last.
    const signs = setInterval(() => void sign(), 500);
    const { code, findings } = await doctor();
    clearInterval(signs);
    expect(code).toBe(1);
    expect(findings.filter(({ level }) => level === 'error')).toMatchObject([
      { check: 'emitter', found: expect.stringContaining(purged.message), cure: purged.cure },
      { check: 'domain posts', found: expect.stringContaining(why.cause), cure: why.cure },
      { check: 'projector claps', found: expect.stringContaining(misfit.code), cure: misfit.cure },
    ]);
  });

  async function post(...events: NewEvent[]): Promise<void> {
    const topics = topicsFor(Object.fromEntries(DOMAINS.map((name) => [name, {}])));
    const log = openSqliteLog({ file: join(world.env['BANYAN_DATA'] as string, 'log.sqlite'), topics });
    await log.post(events);
    await log.close();
  }

  it('leaves nothing behind when it is uninstalled', async () => {
    expect((await world.banyan('uninstall', '--yes')).code).toBe(0);
    const [schemas] = await world.database.raw("SHOW DATABASES LIKE 'banyan'");
    const [users] = await world.database.raw("SELECT user FROM mysql.user WHERE user LIKE 'banyan%'");
    expect([schemas, users]).toEqual([[], []]);
  });
});
