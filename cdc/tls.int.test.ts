import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Mariadb, startMariadb } from '../scripts/lib/mariadb.ts';
import { openBinlogSource } from './binlog/index.ts';
import { connect, query } from './connection.ts';

describe('a server that wants TLS', () => {
  let folder: string;
  let server: Mariadb;
  let ca: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'banyan-tls-'));
    await chmod(folder, 0o755);
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const about = ['-subj', '/CN=server', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
    await promisify(execFile)('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      ...about,
    ]);
    ca = await readFile(cert, 'utf8');
    server = await startMariadb({ extra: [`--ssl-cert=${cert}`, `--ssl-key=${key}`] });
    const root = await connect(server);
    await query(root, 'CREATE DATABASE shop');
    await query(root, 'CREATE TABLE shop.orders (id INT PRIMARY KEY)');
    await query(root, "CREATE USER safe@'%' IDENTIFIED BY 'right' REQUIRE SSL");
    await query(root, "GRANT ALL ON *.* TO safe@'%'");
    root.destroy();
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const account = (ssl?: { ca?: string }) => ({
    host: server.host,
    port: server.port,
    user: 'safe',
    password: 'right',
    ...(ssl && { ssl }),
  });

  it('is connected to with its authority', async () => {
    const connection = await connect(account({ ca }));
    const [row] = await query(connection, "SHOW STATUS LIKE 'Ssl_cipher'");
    expect(row?.['Value']).toMatch(/^TLS/);
    connection.destroy();
  });

  it('is not connected to without TLS, nor when nobody vouches for it', async () => {
    await expect(connect(account())).rejects.toMatchObject({ code: 'BNY-CDC-ACCESS' });
    await expect(connect(account({}))).rejects.toMatchObject({
      code: 'BNY-CDC-UNREACHABLE',
      found: expect.stringContaining('self-signed certificate'),
    });
  });

  it('streams its binlog through it', async () => {
    const tables = { orders: { key: ['id'], columns: ['id'] } };
    const source = openBinlogSource({ connection: account({ ca }), schema: 'shop', tables });
    const stop = new AbortController();
    const root = await connect(server);
    const ids: unknown[] = [];
    let begun = false;
    for await (const batch of source.read(undefined, stop.signal)) {
      if (!begun) await query(root, 'INSERT INTO shop.orders VALUES (1)');
      begun = true;
      ids.push(...batch.flatMap(({ changes }) => changes.map(({ key }) => key[0])));
      if (ids.length > 0) stop.abort();
    }
    expect(ids).toEqual([1]);
    root.destroy();
    await source.close();
  });
});
