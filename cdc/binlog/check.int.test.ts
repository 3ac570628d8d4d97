import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Connection } from 'mysql2/promise';
import type { Session } from '../contract.ts';
import type { CapturedTable, CapturedTables, Finding } from '../types.ts';
import { checkServer } from './check-server.ts';
import { openBinlogSource } from './index.ts';
import { settingsOf } from './options.ts';
import { startTestServer, type TestServer } from './test-support.ts';

const brief = ({ check, level }: Finding) => `${level} ${check}`;

describe('the settings of the server', () => {
  it('are all reported at once, each with what was found, what is needed and the cure', async () => {
    const server = await startTestServer({
      extra: [
        ...['--binlog-format=MIXED', '--binlog-row-image=MINIMAL', '--binlog-row-metadata=NO_LOG', '--sync-binlog=0'],
        ...['--gtid-strict-mode=OFF', '--binlog-expire-logs-seconds=3600', '--binlog-ignore-db=shop'],
      ],
    });
    const findings = await server.open({ tables: {} }).check();
    expect(findings.map(brief)).toEqual([
      'error binlog_format',
      'error binlog_row_image',
      'error binlog_row_metadata',
      'warning gtid_strict_mode',
      'warning sync_binlog',
      'error binlog_expire_logs_seconds',
      'error binlog_ignore_db',
    ]);
    expect(findings[2]).toEqual({
      check: 'binlog_row_metadata',
      level: 'error',
      found: 'NO_LOG',
      needed: 'FULL',
      cure: expect.stringMatching(/^SET GLOBAL binlog_row_metadata = FULL;/),
    });
    const session = await server.session();
    for (const { check, cure } of findings) {
      const [sql] = cure.split(';');
      if (sql?.startsWith('SET GLOBAL')) await session.sql(sql);
      else expect(check).toBe('binlog_ignore_db');
    }
    expect((await server.open({ tables: {} }).check()).map(brief)).toEqual(['error binlog_ignore_db']);
    await session.sql('SET GLOBAL binlog_expire_logs_seconds = 100000');
    expect((await server.open({ tables: {} }).check()).map(brief)).toContain('warning binlog_expire_logs_seconds');
    await session.end();
    await server.dispose();
  });

  it('tell when there is no binlog, or one without the schemas that are followed', async () => {
    const server = await startTestServer({ extra: ['--skip-log-bin', '--binlog-do-db=elsewhere'] });
    const alsoFollow = { schema: 'banyan', tables: {} };
    const source = server.open({ tables: {}, alsoFollow });
    expect((await source.check()).map(brief)).toEqual(['error log_bin']);
    const reading = source.read(undefined, new AbortController().signal)[Symbol.asyncIterator]();
    await expect(reading.next()).rejects.toMatchObject({ code: 'BNY-CDC-SETTINGS' });
    await server.kill();
    await server.restart(['--binlog-do-db=elsewhere']);
    expect((await source.check()).map(({ found }) => found)).toEqual([
      expect.stringContaining('shop'),
      expect.stringContaining('banyan'),
    ]);
    await server.dispose();
  });

  it.each([
    [{ version: '8.4.5' }, ['error version'], /not yet supported/],
    [{ version: '10.4.34-MariaDB-log' }, ['error version'], /Upgrade/],
    [{ version: '11.8.2-MariaDB', wsrep_on: 'ON' }, ['error wsrep_on'], /Galera/],
  ])('refuse a server that is %j', async (overrides, expected, cure) => {
    const good = {
      ...{ log_bin: 'ON', binlog_format: 'ROW', binlog_row_image: 'FULL', binlog_row_metadata: 'FULL' },
      ...{ gtid_strict_mode: 'ON', sync_binlog: '1', binlog_expire_logs_seconds: '0' },
    };
    const rows = Object.entries({ ...good, ...overrides });
    const answers: Record<string, object[]> = {
      'SHOW GLOBAL VARIABLES': rows.map(([name, value]) => ({ Variable_name: name, Value: value })),
      'SHOW GRANTS': [{ grants: 'GRANT ALL PRIVILEGES ON *.* TO `root`@`%`' }],
    };
    const connection = { query: async (sql: string) => [answers[sql] ?? []] } as unknown as Connection;
    const findings = await checkServer(connection, settingsOf({ connection: {}, schema: 'shop', tables: {} }));
    expect(findings.map(brief)).toEqual(expected);
    expect(findings[0]?.cure).toMatch(cure);
  });
});

describe('accounts and tables', () => {
  let server: TestServer;
  let session: Session;
  beforeAll(async () => {
    server = await startTestServer();
    session = await server.session();
    await session.sql('CREATE TABLE good (id INT PRIMARY KEY, title TEXT)');
  });
  afterAll(async () => {
    await session.end();
    await server.dispose();
  });

  const good: CapturedTables = { good: { key: ['id'], columns: ['id', 'title'] } };
  const check = (tables: CapturedTables, user = 'root') =>
    openBinlogSource({ connection: { ...server.connection, user }, schema: 'shop', tables }).check();

  it('nothing is found where all is well, under the smallest account that will do', async () => {
    expect(await check(good)).toEqual([]);
    await session.sql(
      'CREATE USER small',
      'GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO small',
      'GRANT SELECT ON shop.* TO small',
    );
    expect(await check(good, 'small')).toEqual([]);
  });

  it('grants that are missing come with the GRANT to run; a role may hold them', async () => {
    await session.sql('CREATE USER nobody', 'CREATE ROLE replica', 'GRANT replica TO nobody');
    const findings = await check(good, 'nobody');
    expect(findings.map(({ cure }) => cure)).toEqual([
      "GRANT REPLICATION SLAVE ON *.* TO 'nobody'@'%';",
      "GRANT BINLOG MONITOR ON *.* TO 'nobody'@'%';",
      "GRANT SELECT ON `shop`.`good` TO 'nobody'@'%';",
    ]);
    for (const { cure } of findings.slice(1)) await session.sql(cure);
    await session.sql('GRANT REPLICATION SLAVE ON *.* TO replica', 'SET DEFAULT ROLE replica FOR nobody');
    expect(await check(good, 'nobody')).toEqual([]);
  });

  it('an account that is not let in is an error and no finding', async () => {
    await expect(check(good, 'unknown')).rejects.toMatchObject({ code: 'BNY-CDC-ACCESS' });
  });

  const one = (columns: string, declared: Partial<CapturedTable> = {}, options = '') => ({
    columns,
    declared,
    options,
  });
  it.each([
    ['is missing', undefined, 'error table', /no such table/, /Correct its name/],
    [
      'is not InnoDB',
      one('id INT PRIMARY KEY', {}, 'ENGINE=MyISAM'),
      'error engine',
      /MyISAM/,
      /ALTER TABLE .* ENGINE = InnoDB/,
    ],
    [
      'keeps its history',
      one('id INT PRIMARY KEY', {}, 'WITH SYSTEM VERSIONING'),
      'error table',
      /system versioned/,
      /Take it out/,
    ],
    ['has no key', one('id INT'), 'error key', /primary key \(\)/, /Give the table a primary key/],
    ['has another key', one('id INT, b INT, PRIMARY KEY (b, id)'), 'error key', /\(b, id\)/, /key: \['b','id'\]/],
    [
      'has a key that does not compare',
      one("id ENUM('a') PRIMARY KEY"),
      'error key',
      /enum in the primary key/,
      /another primary key/,
    ],
    [
      'lacks a declared column',
      one('id INT PRIMARY KEY', { columns: ['gone'] }),
      'error column',
      /no column `gone`/,
      /Correct/,
    ],
    [
      'lacks an excluded column',
      one('id INT PRIMARY KEY', { excluded: ['passwrod'] }),
      'error column',
      /passwrod/,
      /Correct/,
    ],
    [
      'has a GEOMETRY',
      one('id INT PRIMARY KEY, g POINT', { columns: ['g'] }),
      'error column',
      /`g` is point/,
      /Exclude it/,
    ],
    [
      'has a SET with an empty label',
      one("id INT PRIMARY KEY, s SET('it''s', '')", { columns: ['s'] }),
      'error column',
      /empty label/,
      /Exclude it/,
    ],
    [
      'has a SET whose label is a quote',
      one("id INT PRIMARY KEY, s SET(''''), u UUID", { columns: ['s', 'u'] }),
      'error column',
      /uuid/,
      /uuid/,
    ],
    [
      'has an undeclared UUID',
      one('id INT PRIMARY KEY, u UUID', { columns: ['u'] }),
      'error column',
      /uuid/,
      /types: \{ u: 'uuid' \}/,
    ],
    [
      'has an undeclared JSON',
      one('id INT PRIMARY KEY, j JSON', { columns: ['j'] }),
      'error column',
      /JSON/,
      /types: \{ j: 'json' \}/,
    ],
    [
      'has an undeclared INET6 as key',
      one('id INET6 PRIMARY KEY'),
      'error column',
      /inet6/,
      /types: \{ id: 'inet6' \}/,
    ],
    [
      'is changed by a foreign key',
      one('id INT PRIMARY KEY, g INT, FOREIGN KEY (g) REFERENCES good (id) ON DELETE SET NULL ON UPDATE CASCADE'),
      'error foreign_key',
      /ON DELETE SET NULL ON UPDATE CASCADE/,
      /DROP FOREIGN KEY `bad_ibfk_1`/,
    ],
  ])('a table that %s', async (_, definition, expected, found, cure) => {
    await session.sql('DROP TABLE IF EXISTS bad');
    if (definition) await session.sql(`CREATE TABLE bad (${definition.columns}) ${definition.options}`);
    const findings = await check({ ...good, bad: { key: ['id'], columns: ['id'], ...definition?.declared } });
    expect(findings.map(brief)).toEqual([expected]);
    expect(findings[0]?.found).toMatch(found);
    expect(findings[0]?.cure).toMatch(cure);
    expect(findings[0]?.unseen).toBe(expected === 'error foreign_key' ? true : undefined);
  });

  it('a column of an old format, though nothing reads it: it hides the columns behind it', async () => {
    await session.sql(
      'SET GLOBAL mysql56_temporal_format = OFF',
      'CREATE OR REPLACE TABLE bad (id INT PRIMARY KEY, d DATETIME)',
    );
    await session.sql('SET GLOBAL mysql56_temporal_format = ON');
    const bad = { key: ['id'], columns: ['id'] };
    expect((await check({ bad })).map(({ found }) => found)).toEqual([expect.stringContaining('old format')]);
    await session.sql('ALTER TABLE bad FORCE');
    expect(await check({ bad })).toEqual([]);
  });

  it('columns and foreign keys that nothing reads are left in peace', async () => {
    await session.sql(
      `CREATE OR REPLACE TABLE bad (id INT PRIMARY KEY, g INT, p POINT, u UUID,
         FOREIGN KEY (g) REFERENCES good (id) ON DELETE RESTRICT)`,
    );
    expect(await check({ bad: { key: ['id'], columns: ['id', 'u'], excluded: ['u'] } })).toEqual([]);
  });
});
