import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { freePort, type Mariadb, startMariadb } from '../../../../scripts/lib/mariadb.ts';
import { checkServer } from './check.ts';
import { grantsFor } from './grants.ts';
import { Session } from './session.ts';

let mariadb: Mariadb;
let root: Session;
beforeAll(async () => {
  mariadb = await startMariadb();
  root = await Session.open(mariadb);
});
afterAll(async () => {
  root?.close();
  await mariadb?.stop();
});

const ACCOUNT = { user: 'stores', password: 'right', prefix: 'banyan_' };
const check = (more: object = {}) =>
  checkServer({
    server: { ...mariadb, port: mariadb.port, ...ACCOUNT, ...more },
    prefix: ACCOUNT.prefix,
    domains: ['notes', 'tags'],
  });

it('an account that is not let in, or lacks rights, comes with the SQL; with that nothing is found', async () => {
  const [create = '', grant = ''] = grantsFor(ACCOUNT);
  expect(await check()).toMatchObject([
    {
      check: 'stores',
      level: 'error',
      found: expect.stringContaining('Access denied'),
      cure: expect.stringContaining(grant),
    },
  ]);
  await root.query(create);
  const [missing, ...others] = await check();
  expect(missing).toMatchObject({ check: 'stores grant', cure: `${grant};` });
  expect(missing?.found).toContain('banyan_notes_%, banyan_tags_%');
  expect(others).toEqual([]);
  await root.query(missing?.cure ?? '');
  expect(await check()).toEqual([]);
  expect(JSON.stringify(await check({ password: 'wrong' }))).not.toMatch(/wrong|right/);
});

it('a role may hold the rights, and an anonymous account is given none', async () => {
  await root.query('CREATE ROLE keeper');
  await root.query('GRANT ALL ON `banyan\\_%`.* TO keeper');
  await root.query("CREATE USER other IDENTIFIED BY 'right'");
  await root.query('GRANT keeper TO other');
  expect(await check({ user: 'other' })).toMatchObject([{ check: 'stores grant' }]);
  await root.query('SET DEFAULT ROLE keeper FOR other');
  expect(await check({ user: 'other' })).toEqual([]);
  await root.query("CREATE USER ''@'127.0.0.1'");
  const [finding] = await check({ user: 'nobody', password: '' });
  expect(finding?.cure).toContain("DROP USER IF EXISTS ''@'127.0.0.1'");
  await root.query("DROP USER ''@'127.0.0.1'");
});

it('a server that does not answer is named', async () => {
  const port = await freePort();
  expect(await check({ port })).toMatchObject([
    { check: 'stores', level: 'error', found: expect.stringContaining(`:${port}`) },
  ]);
});
