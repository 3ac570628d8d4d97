import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mysql, { type Connection } from 'mysql2/promise';
import { freePort, type Mariadb, startMariadb } from '../../scripts/lib/mariadb.ts';

/** docs/first-steps.md, step by step, on the built package: a schema that is nothing like the example's. */
describe('first steps with a shop', () => {
  let folder: string;
  let server: Mariadb;
  let root: Connection;
  let monolith: Server;
  let up: ChildProcess | undefined;
  let env: NodeJS.ProcessEnv;
  let router: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'banyan-shop-'));
    await cp('docs/shop', folder, { recursive: true });
    await mkdir(join(folder, 'node_modules'));
    await symlink(resolve('.'), join(folder, 'node_modules', 'banyan'));
    await symlink(resolve('node_modules/zod'), join(folder, 'node_modules', 'zod'));
    server = await startMariadb();
    root = await mysql.createConnection({
      host: server.host,
      port: server.port,
      user: 'root',
      multipleStatements: true,
    });
    await root.query(`
      CREATE DATABASE shop; USE shop;
      CREATE TABLE orders (
        id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, customer VARCHAR(80) NOT NULL, card_number VARCHAR(20),
        status ENUM('open','paid','shipped') NOT NULL, total DECIMAL(10,2) NOT NULL, placed_at DATETIME NOT NULL
      );
      CREATE TABLE order_items (
        order_id INT UNSIGNED, line SMALLINT, product VARCHAR(80) NOT NULL, quantity INT NOT NULL,
        PRIMARY KEY (order_id, line), FOREIGN KEY (order_id) REFERENCES orders (id)
      );
      INSERT INTO orders SELECT seq, CONCAT('customer ', seq % 10), '4111-1111', 'open', seq * 1.5, '2026-01-02 03:04:05' FROM seq_1_to_3000;
      INSERT INTO order_items SELECT id, 1, 'tea 🍵', 2 FROM orders;`);
    monolith = createServer((_, response) => response.end('"from the monolith"'));
    await new Promise<void>((listening) => monolith.listen(0, '127.0.0.1', listening));
    const { port } = monolith.address() as { port: number };
    const [routerPort, adminPort, servicePort] = await Promise.all([freePort(), freePort(), freePort()]);
    router = `http://127.0.0.1:${routerPort}`;
    env = {
      ...process.env,
      BANYAN_MONOLITH_URL: `http://127.0.0.1:${port}`,
      BANYAN_MONOLITH_DATABASE_PORT: String(server.port),
      BANYAN_MONOLITH_DATABASE_PASSWORD: 'secret of the shop',
      BANYAN_ROUTER_PORT: String(routerPort),
      BANYAN_ROUTER_ADMIN_PORT: String(adminPort),
      BANYAN_SERVICES_FIRST_PORT: String(servicePort),
      BANYAN_LOG_LEVEL: 'warn',
    };
  }, 60_000);

  afterAll(async () => {
    await stopUp();
    monolith.close();
    await root.end();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const startUp = () => {
    up = spawn(process.execPath, [resolve('dist/cli/main.js'), 'up'], { cwd: folder, env, stdio: 'ignore' });
  };
  const stopUp = async () => {
    const ended = new Promise((gone) => up?.once('exit', gone));
    if (up?.kill('SIGTERM')) await ended;
    up = undefined;
  };

  function banyan(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    return new Promise((done) => {
      execFile(
        process.execPath,
        [resolve('dist/cli/main.js'), ...args],
        { cwd: folder, env },
        (error, stdout, stderr) => {
          done({ code: error ? Number(error.code) : 0, stdout, stderr });
        },
      );
    });
  }

  const get = async (path: string) => {
    const response = await fetch(`${router}${path}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('is captured, seeded and served by a domain folder and a config alone', async () => {
    expect(await banyan('install', '--yes')).toMatchObject({ code: 0 });
    expect(await banyan('doctor', '--json')).toMatchObject({ code: 0 });
    startUp();
    expect(await banyan('etl', 'orders', '--yes')).toMatchObject({ code: 0 });
    await root.query(
      "UPDATE orders SET status = 'paid' WHERE id = 7; DELETE FROM order_items WHERE order_id = 8; DELETE FROM orders WHERE id = 8",
    );
    expect(await banyan('status', '--wait', '--timeout', '30')).toMatchObject({ code: 0 });
    expect(await get('/orders/7')).toEqual({ status: 200, body: 'from the monolith' });
    expect(await banyan('switch', 'orders', 'reads', '--yes')).toMatchObject({
      code: 0,
      stderr: expect.not.stringMatching(/refused/i),
    });
    await sleep(500);
    expect(await get('/orders/7')).toEqual({
      status: 200,
      body: {
        id: 7,
        customer: 'customer 7',
        status: 'paid',
        total: '10.50',
        placedAt: '2026-01-02T03:04:05',
        items: [{ line: 1, product: 'tea 🍵', quantity: 2 }],
      },
    });
    expect((await get('/orders/8')).status).toBe(404);
    expect((await get('/customers/customer%203/orders')).body['orders']).toHaveLength(300);
    expect(await banyan('replay', 'orders', '--yes')).toMatchObject({ code: 0 });
    expect(await banyan('rollback', 'orders', 'reads', '--yes')).toMatchObject({ code: 0 });
    await sleep(500);
    expect((await get('/orders/7')).body).toBe('from the monolith');
  }, 120_000);

  it('never lets an excluded column out of the reading process', async () => {
    const { stdout } = await banyan('log', 'tail', 'orders', '--last', '100000', '--no-follow', '--json');
    expect(stdout).toContain('customer 7');
    expect(stdout).not.toContain('4111');
  });

  it('takes in a new column: version and upcast, columns and projection, the store file, the reseed', async () => {
    await root.query(
      "ALTER TABLE orders ADD COLUMN note VARCHAR(80); UPDATE orders SET note = 'for Anna' WHERE id = 9",
    );
    const edit = async (file: string, ...changes: [was: string, is: string][]) => {
      let text = await readFile(join(folder, file), 'utf8');
      for (const [was, is] of changes) {
        expect(text).toContain(was);
        text = text.replace(was, is);
      }
      await writeFile(join(folder, file), text);
    };
    const upcast = 'version: 2, upcast: { 1: (data) => ({ ...data, note: null }) }';
    await edit(
      'orders/events.ts',
      ['placedAt: z.string(),', 'placedAt: z.string(), note: z.string().nullable(),'],
      ['OrderPlaced: order', `OrderPlaced: { schema: order, ${upcast} }`],
      [
        'order.extend({ changed: z.array(z.string()) })',
        `{ schema: order.extend({ changed: z.array(z.string()) }), ${upcast} }`,
      ],
    );
    await edit('orders/domain.ts', ["'placed_at']", "'placed_at', 'note']"]);
    await edit('orders/projection.ts', ["placedAt: 'text' }", "placedAt: 'text', note: 'text?' }"]);
    await stopUp();
    startUp();
    let said = '';
    for (let tries = 0; tries < 100 && !said.includes('BNY-SERVICE-STORE-SCHEMA'); tries++) {
      said = (await banyan('status', '--json')).stdout;
      await sleep(100);
    }
    expect(said).toContain(`${join(folder, '.banyan/stores/orders.2.sqlite')} (its -wal and -shm belong to it)`);
    await stopUp();
    await rm(join(folder, '.banyan/stores'), { recursive: true });
    startUp();
    const { code, stderr } = await banyan('status', '--wait', '--timeout', '30');
    expect({ code, stderr }).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('banyan resume orders --reseed'),
    });
    expect(await banyan('resume', 'orders', '--reseed', '--yes')).toMatchObject({ code: 0 });
    expect(await banyan('status', '--wait', '--timeout', '30')).toMatchObject({ code: 0 });
    expect(await banyan('switch', 'orders', 'reads', '--yes')).toMatchObject({ code: 0 });
    await sleep(500);
    expect((await get('/orders/9')).body).toMatchObject({ id: 9, note: 'for Anna' });
    expect((await get('/orders/10')).body).toMatchObject({ id: 10, note: null });
    expect(await banyan('replay', 'orders', '--yes')).toMatchObject({ code: 0 });
  }, 120_000);
});
