import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Mariadb, startMariadb } from '../../../../scripts/lib/mariadb.ts';
import { isSameServer } from './identity.ts';

let servers: [Mariadb, Mariadb];
beforeAll(async () => {
  servers = await Promise.all([startMariadb(), startMariadb()]);
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
});

const at = ({ port, user, password }: Mariadb, host = '127.0.0.1') => ({ host, port, user, password });

it('knows a server under another name, and two that are alike apart', async () => {
  const [one, other] = servers;
  expect(await isSameServer(at(one), at(one))).toBe(true);
  expect(await isSameServer(at(one), at(one, 'localhost'))).toBe(true);
  expect(await isSameServer(at(one), at(other))).toBe(false);
  expect(await isSameServer(at(one), { ...at(other), password: 'wrong' })).toBe(false);
});
