import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { controlEvent, openSqliteLog, topicsFor } from '../log/index.ts';
import { type Mariadb, startMariadb } from '../scripts/lib/mariadb.ts';
import { spawnBound } from '../scripts/lib/spawn.ts';
import { runBanyan } from '../scripts/lib/world.ts';

const CONFIG = `
import { defineDomain, defineEvents, defineProjection } from '${resolve('services/kit/index.ts')}';
const table = { key: ['id'], columns: ['id', 'name'] };
export default {
  monolith: { url: 'http://127.0.0.1:9', database: { schema: 'shop' } },
  domains: [defineDomain({
    name: 'orders', tables: { orders: table, items: table }, routes: { reads: [], writes: [] },
    events: defineEvents('orders', {}), capture: { orders: () => [], items: () => [] },
    projection: defineProjection({}, () => []), queries: {},
  })],
};`;

describe('the fence, by the command line', () => {
  let folder: string;
  let server: Mariadb;
  let root: Connection;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'banyan-fence-'));
    await writeFile(join(folder, 'config.mjs'), CONFIG);
    server = await startMariadb();
    root = await connect();
    env = {
      ...process.env,
      BANYAN_DATA: folder,
      BANYAN_MONOLITH_DATABASE_PORT: String(server.port),
      BANYAN_MONOLITH_DATABASE_PASSWORD: 'p',
      BANYAN_MONOLITH_HANDBACK_PASSWORD: 'h',
    };
  });
  afterAll(async () => {
    root.destroy();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await rm(join(folder, 'log.sqlite'), { force: true });
    for (const sql of ['CREATE OR REPLACE DATABASE shop', 'DROP DATABASE IF EXISTS banyan', 'USE shop', ...TABLES])
      await root.query(sql);
    expect(await banyan('install', '--yes')).toMatchObject({ code: 0 });
  });

  const TABLES = ['orders', 'items'].map((name) => `CREATE TABLE ${name} (id INT PRIMARY KEY, name VARCHAR(20))`);
  const connect = () => mysql.createConnection({ host: server.host, port: server.port, user: 'root' });
  const withConfig = (args: readonly string[]) => [...args, '--config', join(folder, 'config.mjs')];
  const banyan = (...args: string[]) => runBanyan(withConfig(args), env);
  const triggers = async () => {
    const sql = "SELECT EVENT_OBJECT_TABLE AS t FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'shop'";
    return (await root.query<RowDataPacket[]>(sql))[0].map(({ t }) => t as string);
  };

  async function post(...events: ReturnType<typeof controlEvent>[]): Promise<void> {
    const log = openSqliteLog({ file: join(folder, 'log.sqlite'), topics: topicsFor({ orders: {} }) });
    await log.post(events);
    await log.close();
  }

  it('shows a plan, acts on it, tells what stands, and takes it down again', async () => {
    expect(await banyan('fence', 'status')).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('no `banyan_fence'),
    });
    const plan = await banyan('fence', 'install', 'orders');
    expect(plan).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/'banyan'@'%'.*Each waits.*INSERT IGNORE.*CREATE/s),
    });
    expect(await triggers()).toEqual([]);
    expect(await banyan('fence', 'install', 'orders', '--yes')).toMatchObject({ code: 0 });
    expect(await triggers()).toHaveLength(6);
    expect(await banyan('fence', 'status', 'orders')).toMatchObject({ code: 0 });
    expect(await banyan('fence', 'install', 'orders', '--json', '--yes')).toMatchObject({ code: 0, json: { done: 0 } });
    const early = await banyan('uninstall', '--yes');
    expect(early).toMatchObject({ code: 3, stderr: expect.stringContaining('banyan fence remove orders --yes') });
    await root.query("INSERT INTO items VALUES (1, 'x')");
    expect(await banyan('fence', 'remove', 'orders', '--yes')).toMatchObject({ code: 0 });
    expect(await triggers()).toEqual([]);
    expect(await banyan('uninstall', '--yes')).toMatchObject({ code: 0 });
    const [users] = await root.query("SELECT user FROM mysql.user WHERE user LIKE 'banyan%'");
    expect(users).toEqual([]);
  }, 60_000);

  it('prints what a DBA can run through a client of the server', async () => {
    const { code, stdout } = await banyan('fence', 'install', 'orders', '--print');
    expect(code).toBe(0);
    const account = ['--no-defaults', '--host=127.0.0.1', `--port=${server.port}`, '--user=root'];
    execFileSync('mariadb', [...account, 'shop'], { input: stdout });
    expect(await banyan('fence', 'status')).toMatchObject({ code: 0 });
  }, 60_000);

  it('goes on where an installation was killed, of which the status tells', async () => {
    const holder = await connect();
    await holder.query('LOCK TABLES shop.items READ');
    const args = withConfig(['fence', 'install', 'orders', '--yes']);
    const killed = spawnBound([process.execPath, 'cli/main.ts', ...args], { env, stdio: 'ignore' });
    while ((await triggers()).length < 3) await sleep(20);
    const gone = new Promise((ended) => killed.once('exit', ended));
    killed.kill('SIGKILL');
    await gone;
    // What it had sent last is carried out all the same, should the table become free in time.
    const waiting = "SELECT ID FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table metadata lock'";
    while ((await root.query<RowDataPacket[]>(waiting))[0].length > 0) await sleep(20);
    await holder.query('UNLOCK TABLES');
    holder.destroy();
    expect(await triggers()).toEqual(['orders', 'orders', 'orders']);
    for (const table of ['orders', 'items']) await root.query(`INSERT INTO ${table} VALUES (1, 'x')`);
    const { code, json } = await banyan('fence', 'status', '--json');
    expect({ code, tables: (json as { findings: { table: string }[] }).findings.map(({ table }) => table) }).toEqual({
      ...{ code: 2, tables: ['items', 'items', 'items'] },
    });
    expect(await banyan('fence', 'install', 'orders', '--yes')).toMatchObject({ code: 0 });
    expect(await banyan('fence', 'status')).toMatchObject({ code: 0 });
  }, 60_000);

  it('believes the log: what a service owns keeps its fence, and gets no new row', async () => {
    expect(await banyan('fence', 'install', 'orders', '--yes')).toMatchObject({ code: 0 });
    await post(controlEvent('WritesRequested', { domain: 'orders', to: 'service', epoch: 0, id: 'm' }, 'test'));
    const moving = await banyan('fence', 'remove', 'orders', '--yes');
    expect(moving).toMatchObject({ code: 3, stderr: expect.stringContaining('on its way to the service') });
    const taken = { domain: 'orders', owner: 'service', epoch: 1, id: 'm', nextIds: {} } as const;
    await post(
      controlEvent('OwnershipChanged', taken, 'test'),
      controlEvent('EpochHeld', { domain: 'orders', epoch: 1 }, 'test'),
    );
    const held = await banyan('fence', 'remove', 'orders', '--yes');
    expect(held).toMatchObject({ code: 3, stderr: expect.stringContaining('its service owns orders (epoch 1)') });
    await root.query('DELETE FROM banyan.ownership');
    const anew = await banyan('fence', 'install', 'orders', '--yes');
    const cure = "INSERT INTO `banyan`.ownership (domain, owner, epoch) VALUES ('orders', 'service', 1);";
    expect(anew).toMatchObject({ code: 3, stderr: expect.stringContaining(cure) });
    expect((await root.query('SELECT * FROM banyan.ownership'))[0]).toEqual([]);
  }, 60_000);

  it('refuses by name what triggers cannot protect, on paper as well', async () => {
    await root.query('CREATE TABLE other (id INT PRIMARY KEY)');
    await root.query('ALTER TABLE items ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES other (id) ON DELETE CASCADE');
    for (const how of ['--yes', '--print'])
      expect(await banyan('fence', 'install', 'orders', how)).toMatchObject({
        ...{ code: 3, stdout: '', stderr: expect.stringContaining('DROP FOREIGN KEY `k`') },
      });
    expect(await triggers()).toEqual([]);
  }, 60_000);

  it('needs Banyan to be installed', async () => {
    await root.query('DROP DATABASE banyan');
    for (const args of [['status'], ['install', 'orders', '--yes']])
      expect(await banyan('fence', ...args)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('banyan install'),
      });
  }, 60_000);

  it('gives the handback an account of its own, once it has a password', async () => {
    const [grants] = await root.query<RowDataPacket[]>('SHOW GRANTS FOR banyan_handback');
    expect(
      grants
        .slice(1)
        .map((row) => String(Object.values(row)[0]))
        .sort(),
    ).toEqual([
      'GRANT SELECT ON `banyan`.`ownership` TO `banyan_handback`@`%`',
      'GRANT SELECT, INSERT, UPDATE ON `banyan`.`handback` TO `banyan_handback`@`%`',
      'GRANT SELECT, INSERT, UPDATE, DELETE ON `shop`.* TO `banyan_handback`@`%`',
    ]);
    await root.query('DROP USER banyan_handback');
    env = { ...env, BANYAN_MONOLITH_HANDBACK_PASSWORD: '' };
    const { code, stderr } = await banyan('install', '--yes');
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('No account banyan_handback') });
    const [users] = await root.query("SELECT user FROM mysql.user WHERE user = 'banyan_handback'");
    expect(users).toEqual([]);
  }, 60_000);
});
