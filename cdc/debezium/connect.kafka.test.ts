import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startConnect } from '../../scripts/lib/connect.ts';
import { freePort } from '../../scripts/lib/mariadb.ts';
import { applyConnector, connectorStatus, type DebeziumOptions, deleteConnector, openDebeziumSource } from './index.ts';
import { ask } from './rest.ts';
import { running, startTestStack, type TestStack } from './test-support.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
  const session = await stack.server.session();
  await session.sql('CREATE TABLE orders (id INT PRIMARY KEY, title VARCHAR(9))');
  await session.end();
}, 120_000);
afterAll(() => stack?.dispose());

const optionsOf = (prefix: string): DebeziumOptions =>
  stack.options(prefix, { orders: { key: ['id'], columns: ['id'] } });

describe('the connector', () => {
  it('is made once, changed when its configuration is another one, and deleted once', async () => {
    const options = optionsOf('life');
    expect(await connectorStatus(options)).toMatchObject({ state: 'MISSING', cure: expect.stringContaining('apply') });
    expect(await applyConnector(options)).toEqual({ changed: true });
    expect(await running(options)).toMatchObject({ name: 'life.banyan.changes', state: 'RUNNING' });
    expect(await applyConnector(options)).toEqual({ changed: false });
    const excluding = { ...options, tables: { orders: { key: ['id'], columns: ['id'], excluded: ['title'] } } };
    expect(await applyConnector(excluding)).toEqual({ changed: true });
    expect(await deleteConnector(options)).toBe(true);
    expect(await deleteConnector(options)).toBe(false);
  });

  it('tells when it is paused, and by the check too', async () => {
    const options = optionsOf('paused');
    await stack.apply(options);
    const source = openDebeziumSource(options);
    const checked = async () => (await source.check()).filter(({ check }) => check === 'connector');
    expect(await checked()).toEqual([]);
    await ask(options.connect, 'PUT', '/connectors/paused.banyan.changes/pause');
    while ((await connectorStatus(options)).state !== 'PAUSED');
    expect(await checked()).toMatchObject([{ level: 'error', cure: expect.stringContaining('resume') }]);
    await source.close();
    await deleteConnector(options);
  });

  it('tells why its task failed, with the cure', async () => {
    const options = optionsOf('failed');
    const account = { password: 'wrong' };
    const raised = await applyConnector({ ...options, connect: { ...options.connect, account } }).catch(
      (error) => error,
    );
    expect(raised).toMatchObject({
      code: 'BNY-CDC-CONNECTOR',
      found: expect.stringContaining('refuses the configuration'),
    });
    expect(String(raised)).not.toContain('wrong');
  });

  it('leaves another one of its name alone', async () => {
    const options = optionsOf('first');
    const other = { ...optionsOf('other'), connect: { ...options.connect, name: 'first.banyan.changes' } };
    await stack.apply(options);
    const foreign = { code: 'BNY-CDC-CONNECTOR', found: expect.stringContaining('first.banyan.changes') };
    await expect(applyConnector(other)).rejects.toMatchObject(foreign);
    await expect(deleteConnector(other)).rejects.toMatchObject(foreign);
    const source = openDebeziumSource(other);
    expect((await source.check()).filter(({ check }) => check === 'connector')).toMatchObject([
      { found: foreign.found, cure: expect.stringContaining('another name') },
    ]);
    await source.close();
    expect(await deleteConnector(options)).toBe(true);
  });
});

describe('Connect', () => {
  it('is named when it does not answer', async () => {
    const options = optionsOf('away');
    const connect = { url: `http://127.0.0.1:${await freePort()}` };
    await expect(applyConnector({ ...options, connect })).rejects.toMatchObject({
      code: 'BNY-CDC-CONNECT-UNREACHABLE',
      retryable: true,
      found: expect.stringContaining('ECONNREFUSED'),
    });
    const source = openDebeziumSource({ ...options, connect });
    expect((await source.check()).map(({ check }) => check)).toContain('connector');
    await source.close();
  });

  it('without the plugin says which is needed', async () => {
    const topics = Object.fromEntries(
      ['config', 'offset', 'status'].map((name) => [`${name}.storage.topic`, `bare.${name}`]),
    );
    const bare = await startConnect({
      brokers: stack.kafka.brokers,
      extra: { 'plugin.path': '/nowhere', 'group.id': 'bare', ...topics },
    });
    const options = { ...optionsOf('bare'), connect: { url: bare.url } };
    const needed = expect.stringContaining('MariaDbConnector');
    await expect(applyConnector(options)).rejects.toMatchObject({ code: 'BNY-CDC-CONNECTOR', needed });
    const source = openDebeziumSource(options);
    expect((await source.check()).filter(({ check }) => check === 'connector')).toMatchObject([
      { level: 'error', needed, cure: expect.stringContaining('plugin.path') },
    ]);
    await source.close();
    await bare.stop();
  });
});

it('a server with several replication domains is refused', async () => {
  const session = await stack.server.session();
  await session.sql('SET SESSION gtid_domain_id = 7', 'CREATE TABLE seven (id INT PRIMARY KEY)');
  await session.end();
  const source = openDebeziumSource(optionsOf('domains'));
  expect(await source.check()).toContainEqual(
    expect.objectContaining({
      check: 'gtid_domain_id',
      level: 'error',
      cure: expect.stringContaining('DELETE_DOMAIN_ID'),
    }),
  );
  await expect(source.head()).rejects.toMatchObject({ code: 'BNY-CDC-SETTINGS' });
  await source.close();
});
