import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from './load.ts';

const EXAMPLE = 'banyan.config.ts';
const SASL = {
  BANYAN_LOG_KIND: 'kafka',
  BANYAN_LOG_BROKERS: 'a:1',
  BANYAN_LOG_SASL_MECHANISM: 'scram-sha-512',
  BANYAN_LOG_SASL_USERNAME: 'banyan',
};

describe('the configuration', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'banyan-config-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const load = (env: NodeJS.ProcessEnv) => loadConfig(EXAMPLE, env);

  async function write(text: string): Promise<string> {
    const file = join(folder, `${Math.random()}.mjs`);
    await writeFile(file, text);
    return file;
  }

  it('is the file, with the environment over it', async () => {
    const password = join(folder, 'password');
    await writeFile(password, '123\n');
    const config = await load({
      BANYAN_DATA: '456',
      BANYAN_ROUTER_PORT: '7000',
      BANYAN_ROUTER_STRICT: 'true',
      BANYAN_MONOLITH_DATABASE_PASSWORD_FILE: password,
    });
    expect(config.data).toMatch(/\/456$/);
    expect(config.router).toMatchObject({ port: 7000, strict: true, adminPort: 4001 });
    expect(config.monolith.database.password).toBe('123');
  });

  it('takes the stores’ account from the environment', async () => {
    const password = join(folder, 'stores');
    await writeFile(password, 'p\n');
    const { services } = await load({
      BANYAN_SERVICES_STORE_KIND: 'mysql',
      BANYAN_SERVICES_STORE_HOST: 'db',
      BANYAN_SERVICES_STORE_PASSWORD_FILE: password,
    });
    expect(services.store).toMatchObject({ kind: 'mysql', host: 'db', port: 3306, password: 'p', prefix: 'banyan_' });
    expect((await load({})).services.store.kind).toBe('sqlite');
  });

  it.each<[string, NodeJS.ProcessEnv, RegExp]>([
    ['stores without a server', { BANYAN_SERVICES_STORE_KIND: 'mysql' }, /services\.store\.host: needed, as/],
    ['a server for stores in files', { BANYAN_SERVICES_STORE_HOST: 'db' }, /services\.store\.host: means nothing/],
    ['a log of a kind that is unknown', { BANYAN_LOG_KIND: 'redis' }, /log\.kind: .*"sqlite"\|"kafka"/],
    ['a source of a kind that is unknown', { BANYAN_SOURCE_KIND: 'maxwell' }, /source\.kind: .*"binlog"\|"debezium"/],
    [
      'a log on a cluster without brokers',
      { BANYAN_LOG_KIND: 'kafka' },
      /log\.brokers: needed, as `log\.kind` is kafka/,
    ],
    ['brokers for a log in a file', { BANYAN_LOG_BROKERS: 'a:1' }, /log\.brokers: means nothing/],
    ['a prefix for a log in a file', { BANYAN_LOG_PREFIX: 'a.' }, /log\.prefix: means nothing unless `log\.kind` is/],
    ['an account without a password', SASL, /log\.sasl\.password: needed: BANYAN_LOG_SASL_PASSWORD/],
    ['its password in a file that is not there', { ...SASL, BANYAN_LOG_SASL_PASSWORD_FILE: '/nowhere' }, /ENOENT/],
    ['Debezium beside a log in a file', { BANYAN_SOURCE_KIND: 'debezium' }, /debezium needs `log\.kind` kafka/],
    ['a connector without an address', { BANYAN_SOURCE_KIND: 'debezium' }, /source\.connectUrl: needed, as/],
    ['a connector without Connect', { BANYAN_SOURCE_CONNECTOR: 'c' }, /source\.connector: means nothing unless/],
    ['a prefix that is no name', { BANYAN_SERVICES_STORE_PREFIX: 'a.b' }, /services\.store\.prefix: up to 20/],
    ['a prefix that no topic can have', { BANYAN_LOG_PREFIX: 'a b.' }, /log\.prefix: up to 100 letters/],
    [
      'brokers without a port, as Connect reaches them',
      { BANYAN_SOURCE_BROKERS: 'kafka' },
      /source\.brokers: `host:port`/,
    ],
    ['a variable that nothing reads', { BANYAN_ROUTER_PROT: '1' }, /BANYAN_ROUTER_PROT in the environment/],
    ['a file that is not there', { BANYAN_SECRET_FILE: '/nowhere' }, /BANYAN_SECRET_FILE: .*ENOENT/],
    ['a port that is none', { BANYAN_ROUTER_PORT: '99999' }, /router\.port: /],
    ['text for a number', { BANYAN_ROUTER_PORT: 'http' }, /router\.port: /],
    [
      'a port that is taken',
      { BANYAN_ROUTER_ADMIN_PORT: '4102' },
      /port 4102 is that of router\.adminPort and of the service of/,
    ],
    ['one account for two', { BANYAN_MONOLITH_HANDBACK_USER: 'banyan' }, /monolith\.handback\.user: is that of /],
    ['ports beyond the last', { BANYAN_SERVICES_FIRST_PORT: '65534' }, /would get port 65536/],
  ])('is refused with %s', async (_, env, found) => {
    await expect(load(env)).rejects.toMatchObject({ code: 'BNY-CLI-CONFIG', found: expect.stringMatching(found) });
  });

  it.each<[string, string, RegExp]>([
    ['a fault of syntax', 'export default {', /cannot be loaded: /],
    ['an import that is not there', "import './nowhere.mjs'; export default {};", /cannot be loaded: .*nowhere/],
    ['an import that throws', "throw new Error('at import');", /cannot be loaded: at import/],
    ['nothing to export', 'export const x = 1;', /no default export/],
    ['what is no domain', 'export default { domains: [{ events: 1 }] };', /domains\.0: no domain/],
    [
      'two processors of one name',
      `import config from '${resolve(EXAMPLE)}'; const [one] = config.processors; export default { ...config, processors: [one, one] };`,
      /processors: two are called /,
    ],
    [
      'a processor that reads what is no domain',
      `import config from '${resolve(EXAMPLE)}'; export default { ...config, domains: config.domains.slice(1, 2) };`,
      /processors: .* reads profiles, which is none of `domains`/,
    ],
    ['what is no processor', 'export default { domains: [], processors: [{}] };', /processors\.0: no processor/],
    ['a key that is unknown', 'export default { monolit: {} };', /Unrecognized key: "monolit"/],
  ])('is refused with %s', async (_, text, found) => {
    const file = await write(text);
    await expect(loadConfig(file, {})).rejects.toMatchObject({
      code: 'BNY-CLI-CONFIG',
      found: expect.stringMatching(found),
    });
  });

  it.each([
    ['time.precision.mode', 'isostring'],
    ['decimal.handling.mode', 'double'],
    ['skipped.operations', 't'],
    ['errors.tolerance', 'all'],
    ['event.processing.failure.handling.mode', 'warn'],
    ['column.include.list', 'shop.orders.id'],
    ['transforms', 'mine'],
    ['producer.override.acks', '0'],
    ['schema.history.internal.skip.unparseable.ddl', 'true'],
  ])(
    'is refused when it sets %s of the connector, with which changes could be lost or altered',
    async (name, value) => {
      const file = await write(withExtra({ [name]: value, 'poll.interval.ms': '100' }));
      const found = expect.stringMatching(new RegExp(`^source\\.extra\\.${name}: is Banyan’s to set[^;]*$`));
      await expect(loadConfig(file, {})).rejects.toMatchObject({ code: 'BNY-CLI-CONFIG', found });
    },
  );

  it('takes what the connector needs to reach the brokers and the database', async () => {
    const extra = {
      'database.ssl.truststore': '/etc/connect/trust.p12',
      'schema.history.internal.producer.security.protocol': 'SASL_SSL',
      'producer.override.linger.ms': '5',
    };
    expect((await loadConfig(await write(withExtra(extra)), {})).source.extra).toEqual(extra);
  });

  const withExtra = (extra: object) => {
    const source = { kind: 'debezium', connectUrl: 'http://connect', extra };
    const parts = JSON.stringify({ source, log: { kind: 'kafka', brokers: 'a:1' } });
    return `import config from '${resolve(EXAMPLE)}'; export default { ...config, ...${parts} };`;
  };

  it('is refused when it is a folder', async () => {
    await expect(loadConfig(folder, {})).rejects.toMatchObject({ code: 'BNY-CLI-CONFIG' });
  });
});
