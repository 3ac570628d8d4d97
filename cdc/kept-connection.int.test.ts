import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Connection } from 'mysql2/promise';
import { type Mariadb, startMariadb } from '../scripts/lib/mariadb.ts';
import { connect, query } from './connection.ts';
import { KeptConnection } from './kept-connection.ts';

describe('a kept connection', () => {
  let server: Mariadb;
  beforeAll(async () => {
    server = await startMariadb();
  });
  afterAll(() => server.stop());

  const idOf = async (connection: Connection) =>
    Number((await query(connection, 'SELECT CONNECTION_ID() AS id'))[0]?.['id']);

  it('is the same for every question, and a new one when the server has closed it meanwhile', async () => {
    const kept = new KeptConnection(server);
    const first = await kept.ask(idOf);
    expect(await kept.ask(idOf)).toBe(first);
    const root = await connect(server);
    await query(root, `KILL ${first}`);
    expect(await Promise.all([kept.ask(idOf), kept.ask(idOf)])).not.toContain(first);
    kept.close();
    root.destroy();
  });

  it('asks no third time', async () => {
    const kept = new KeptConnection(server);
    await kept.ask(idOf);
    let asked = 0;
    const question = async () => {
      asked++;
      throw new Error('lost');
    };
    await expect(kept.ask(question)).rejects.toMatchObject({ code: 'BNY-CDC-UNREACHABLE' });
    expect(asked).toBe(2);
    kept.close();
  });
});
