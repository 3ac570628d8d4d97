import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BanyanError } from '../log/errors.ts';
import { type Mariadb, startMariadb } from '../scripts/lib/mariadb.ts';
import { connect, query } from './connection.ts';

describe('a query of the monolith', () => {
  let server: Mariadb;
  beforeAll(async () => {
    server = await startMariadb();
  });
  afterAll(() => server.stop());

  it('gives numbers and times as they stand', async () => {
    const connection = await connect(server);
    const [row] = await query(connection, "SELECT ? + 0 AS n, CAST('2026-03-29 02:30:00' AS DATETIME) AS t", [
      '18446744073709551615',
    ]);
    expect(row).toEqual({ n: 18446744073709552000, t: '2026-03-29 02:30:00' });
    connection.destroy();
  });

  it('commits by itself, whatever the default of the server', async () => {
    const root = await connect(server);
    await query(root, 'SET GLOBAL autocommit = 0');
    const connection = await connect(server);
    expect((await query(connection, 'SELECT @@autocommit AS mode'))[0]?.['mode']).toEqual('1');
    await query(root, 'SET GLOBAL autocommit = 1');
    for (const each of [root, connection]) each.destroy();
  });

  it.each([
    ['refuses', 'right', /Access denied.*'127\.0\.0\.1'/],
    ['lets in instead', '', /was let in as the anonymous account ''@'127\.0\.0\.1'/],
  ])('names an anonymous account that the server %s, and the SQL that removes it', async (_, password, found) => {
    const root = await connect(server);
    const own = `'own'@'%' IDENTIFIED BY '${password}'`;
    for (const sql of [`CREATE OR REPLACE USER ${own}`, "CREATE USER ''@'127.0.0.1'"]) await query(root, sql);
    const account = { ...server, port: server.port, user: 'own', password };
    const error: unknown = await connect(account).catch((refused: unknown) => refused);
    expect(error).toMatchObject({ code: 'BNY-CDC-ACCESS', found: expect.stringMatching(found) });
    const [drop = ''] = /DROP USER [^;]*/.exec((error as BanyanError).cure) ?? [];
    await query(root, drop);
    for (const each of [root, await connect(account)]) each.destroy();
  });

  it('begins with what it is given, and leaves no connection behind when the server refuses that', async () => {
    const root = await connect(server, {}, ["SET SESSION time_zone = '+02:00'"]);
    expect((await query(root, 'SELECT @@time_zone AS zone'))[0]?.['zone']).toBe('+02:00');
    await expect(connect(server, {}, ['SET SESSION nothing = 1'])).rejects.toMatchObject({
      code: 'BNY-CDC-UNREACHABLE',
      found: expect.stringContaining('nothing'),
    });
    const others = 'SELECT id FROM information_schema.PROCESSLIST WHERE id <> CONNECTION_ID() AND user = "root"';
    // The server takes a moment to see that one has gone.
    for (let tries = 0; tries < 200 && (await query(root, others)).length > 0; tries++) await sleep(10);
    expect(await query(root, others)).toEqual([]);
    root.destroy();
  });

  it('counts as unanswered when its deadline passes, and its connection is given up', async () => {
    const connection = await connect(server);
    await expect(query(connection, 'SELECT SLEEP(30)', [], 50)).rejects.toMatchObject({ code: 'BNY-CDC-UNREACHABLE' });
    await expect(connection.query('SELECT 1')).rejects.toThrow('closed state');
  });
});
