import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FIRST_OWNERSHIP, type Ownership } from '../../log/control/ownership.ts';
import { fenceFindings } from './findings.ts';
import { inspect } from './inspect.ts';
import { installSteps, takeDown } from './install.ts';
import { creatorRefusals } from './refusals.ts';
import { read } from './row.ts';
import { FenceBed, REFUSED } from './test-support.ts';

const NAMES = ['delete', 'insert', 'update'].flatMap((event) =>
  ['items', 'orders'].map((table) => `banyan_fence_${event}_${table}`),
);

describe('the installation of a fence', () => {
  let bed: FenceBed;

  beforeAll(async () => {
    bed = await FenceBed.open();
  });
  afterAll(() => bed.close());
  beforeEach(() => bed.anew());

  const triggers = () =>
    bed.rows(
      "SELECT TRIGGER_NAME AS name, CREATED AS created, DEFINER AS definer FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'shop' ORDER BY 1",
    );
  const names = async () => (await triggers()).map(({ name }) => name);
  /** As the doctor sees it: with Banyan's own account. */
  const findings = async (ownership?: Ownership) => fenceFindings(await bed.as('banyan'), bed.fence, ownership);

  it('makes a row and three triggers a table, and finds nothing amiss then', async () => {
    expect((await findings()).map(({ check }) => check)).toEqual([...Array(6).fill('fence'), 'owner']);
    await bed.install();
    expect(await names()).toEqual(NAMES);
    expect(await read(bed.root, 'orders', 'banyan')).toEqual({
      ...{ owner: 'monolith', epoch: 0, switchId: undefined, nextIds: {} },
    });
    expect(await findings(FIRST_OWNERSHIP)).toEqual([]);
  });

  it('leaves all as it is the second time, the row of a service as well', async () => {
    await bed.install();
    const before = await triggers();
    const values = "'orders', 'service', 3, 'a switch', '{\"orders\":\"18446744073709551615\"}'";
    await bed.run(bed.root, `REPLACE INTO banyan.ownership VALUES (${values})`);
    expect(installSteps(bed.fence, await inspect(bed.root, bed.fence))).toEqual([]);
    await bed.install();
    expect(await triggers()).toEqual(before);
    expect(await read(bed.root, 'orders', 'banyan')).toEqual({
      ...{ owner: 'service', epoch: 3, switchId: 'a switch', nextIds: { orders: '18446744073709551615' } },
    });
  });

  it('makes the row before the triggers: nobody is refused while it goes on', async () => {
    const [first] = installSteps(bed.fence, await inspect(bed.root, bed.fence));
    expect(first?.sql).toMatch(/^INSERT IGNORE INTO `banyan`.ownership/);
  });

  it('says which table a transaction holds, and who, and how far it has come; and goes on from there', async () => {
    const app = await bed.as('app');
    await bed.run(app, 'BEGIN', 'SELECT * FROM items');
    const found = expect.stringMatching(
      /^`shop`\.`items` is locked, open transactions: session \d+ \(app@127.0.0.1:\d+, in a transaction for \d+ s\); the fence stands: orders whole, items none$/,
    );
    await expect(bed.install()).rejects.toMatchObject({ code: 'BNY-CDC-FENCE', found });
    expect(await names()).toEqual(NAMES.filter((name) => name.endsWith('orders')));
    // What waited has given way, and the table is free.
    await bed.run(bed.root, "INSERT INTO items (name) VALUES ('x')");
    await bed.run(app, 'COMMIT');
    await bed.install();
    expect(await names()).toEqual(NAMES);
  }, 30_000);

  it('says so when a table is left half fenced', async () => {
    const app = await bed.as('app');
    const admin = await bed.as('root');
    const query = admin.query.bind(admin) as (...args: unknown[]) => Promise<unknown>;
    admin.query = (async (...args: unknown[]) => {
      if (String(args[0]).includes('banyan_fence_delete_orders')) await bed.run(app, 'LOCK TABLES orders WRITE');
      return query(...args);
    }) as typeof admin.query;
    await expect(bed.install(admin)).rejects.toMatchObject({
      found: expect.stringMatching(/^`shop`\.`orders` is locked, .*; the fence stands: orders HALF, items none$/),
    });
    await bed.run(app, 'UNLOCK TABLES');
    await bed.install();
    expect(await findings()).toEqual([]);
  }, 30_000);

  it('names who holds a table by LOCK TABLES where the server shows it', async () => {
    await bed.run(bed.root, "INSTALL SONAME 'metadata_lock_info'");
    const app = await bed.as('app');
    await bed.run(app, 'LOCK TABLES items READ');
    const found = expect.stringMatching(/`items` is locked, held by session \d+ \(app@/);
    await expect(bed.install()).rejects.toMatchObject({ found });
    await bed.run(bed.root, "UNINSTALL SONAME 'metadata_lock_info'");
  }, 30_000);

  it('waits for a short transaction', async () => {
    const app = await bed.as('app');
    await bed.run(app, 'BEGIN', 'SELECT * FROM items');
    const admin = await bed.as('root');
    const query = admin.query.bind(admin) as (...args: unknown[]) => Promise<unknown>;
    admin.query = (async (...args: unknown[]) => {
      const result = query(...args);
      // The first attempt has failed when it ends.
      if (String(args[0]).includes('banyan_fence_insert_items')) await result.finally(() => app.query('COMMIT'));
      return result;
    }) as typeof admin.query;
    await bed.install(admin);
    expect(await names()).toEqual(NAMES);
  });

  it('looks at a column that was added later only when it is run again, and says so', async () => {
    await bed.install();
    await bed.run(bed.root, 'ALTER TABLE orders ADD note TEXT');
    await bed.owner('service', 1);
    const app = await bed.as('app');
    await bed.run(app, "UPDATE orders SET note = 'unseen'");
    const found = '`banyan_fence_update_orders` is not as it was made, or should be by now';
    expect(await findings()).toMatchObject([
      { check: 'fence', table: 'orders', found, cure: 'banyan fence install orders --yes' },
    ]);
    await bed.install();
    expect(await findings()).toEqual([]);
    await expect(app.query("UPDATE orders SET note = 'seen'")).rejects.toMatchObject(REFUSED);
  });

  const CREATE = 'CREATE TRIGGER mine BEFORE UPDATE ON orders FOR EACH ROW SET NEW.title = UPPER(NEW.title)';
  it.each<[string, string[], RegExp]>([
    ['a trigger that is gone', ['DROP TRIGGER banyan_fence_insert_items'], /^no `banyan_fence_insert_items`$/],
    [
      'one that was altered',
      ['CREATE OR REPLACE TRIGGER banyan_fence_delete_items BEFORE DELETE ON items FOR EACH ROW SET @x = 1'],
      /^`banyan_fence_delete_items` runs as root@\S+, not as banyan@%$/,
    ],
    [
      'one whose body was altered',
      [
        "CREATE OR REPLACE DEFINER = 'banyan'@'%' TRIGGER banyan_fence_delete_items BEFORE DELETE ON items FOR EACH ROW SET @x = 1",
      ],
      /^`banyan_fence_delete_items` is not as it was made/,
    ],
    [
      'a table that was put in the place of a fenced one',
      ['CREATE TABLE new LIKE items', 'RENAME TABLE items TO old, new TO items'],
      /^`banyan_fence_\w+_items` stands on `old`, as after a RENAME$/,
    ],
    ['a trigger that changes more behind it', [CREATE], /^`banyan_fence_update_orders` runs before `mine`/],
    [
      'a fence on what is no longer of the domain',
      ['CREATE TRIGGER banyan_fence_insert_other BEFORE INSERT ON other FOR EACH ROW SET @x = "domain = \'orders\'"'],
      /^`banyan_fence_insert_other` on `other`, which is not the domain's$/,
    ],
  ])('sees %s, and puts it right', async (_, statements, found) => {
    await bed.install();
    await bed.run(bed.root, "SET sql_mode = ''", ...statements);
    const seen = await findings();
    expect(seen.length).toBeGreaterThan(0);
    for (const finding of seen) expect(finding).toMatchObject({ check: 'fence', found: expect.stringMatching(found) });
    await bed.install();
    expect(await findings()).toEqual([]);
    expect((await names()).filter((name) => name !== 'mine')).toEqual(NAMES);
  });

  it('leaves a fence on a row that is gone to say so, and makes it anew only where no service ever owned', async () => {
    await bed.install();
    await bed.run(bed.root, 'DELETE FROM banyan.ownership');
    const [first] = await findings(FIRST_OWNERSHIP);
    expect(first).toMatchObject({ check: 'owner', cure: 'banyan fence install orders --yes' });
    const [later] = await findings({ ...FIRST_OWNERSHIP, owner: 'service', epoch: 3, outcome: 'held' });
    const cure = "INSERT INTO `banyan`.ownership (domain, owner, epoch) VALUES ('orders', 'service', 3);";
    expect(later).toMatchObject({ check: 'owner', cure });
    await bed.run(bed.root, later?.cure ?? '');
    expect(await findings({ ...FIRST_OWNERSHIP, owner: 'service', epoch: 3, outcome: 'held' })).toEqual([]);
  });

  it('tells a row that was edited by hand from one that is being moved', async () => {
    await bed.install();
    await bed.owner('service', 1);
    expect(await findings(FIRST_OWNERSHIP)).toMatchObject([{ check: 'owner', found: /service, epoch 1/ }]);
    const moving = { id: 'm', to: 'service', holding: true } as const;
    expect(await findings({ ...FIRST_OWNERSHIP, moving })).toEqual([]);
    await bed.owner('service', 2);
    expect(await findings({ ...FIRST_OWNERSHIP, moving })).toHaveLength(1);
  });

  it('sees that the account is gone that its triggers run as', async () => {
    await bed.install();
    await bed.run(bed.root, 'DROP USER banyan');
    const app = await bed.as('app');
    await expect(app.query('DELETE FROM items')).rejects.toMatchObject({ errno: 1449 });
    expect(await fenceFindings(bed.root, bed.fence)).toMatchObject([
      { check: 'definer', cure: 'banyan install --yes' },
    ]);
  });

  it('sees that its account may no longer do what the triggers do', async () => {
    await bed.install();
    await bed.run(bed.root, 'REVOKE TRIGGER ON shop.* FROM banyan');
    expect((await findings()).find(({ check }) => check === 'definer')?.found).toBe(
      "'banyan'@'%' without TRIGGER on `shop`",
    );
  });

  const cascade = (child: string, parent: string, rule: string) =>
    `ALTER TABLE ${child} ADD CONSTRAINT k FOREIGN KEY (${child === 'items' ? 'order_id' : 'id'}) REFERENCES ${parent} (id) ${rule}`;
  it.each<[string, string[], string | undefined]>([
    [
      'a cascade into one of its tables',
      ['DELETE FROM items', cascade('items', 'other', 'ON DELETE CASCADE')],
      'foreign_key',
    ],
    [
      'a SET NULL into one of its tables',
      ['DELETE FROM items', cascade('items', 'other', 'ON UPDATE SET NULL')],
      'foreign_key',
    ],
    ['nothing of a cascade out of them', [cascade('other', 'orders', 'ON DELETE CASCADE')], undefined],
    [
      'nothing of a key that restricts',
      ['DELETE FROM items', cascade('items', 'other', 'ON DELETE RESTRICT')],
      undefined,
    ],
    [
      'a table without transactions',
      ['DROP TABLE items', 'CREATE TABLE items (id INT PRIMARY KEY) ENGINE=MyISAM'],
      'engine',
    ],
    ['a view', ['DROP TABLE items', 'CREATE VIEW items AS SELECT * FROM other'], 'table'],
    ['a table that is not there', ['DROP TABLE items'], 'table'],
  ])('refuses %s', async (_, statements, check) => {
    await bed.run(bed.root, ...statements);
    const refusing = (await findings()).filter((finding) => !['fence', 'owner'].includes(finding.check));
    expect(refusing.map((finding) => finding.check)).toEqual(check ? [check] : []);
  });

  it('refuses a cascade from another schema', async () => {
    await bed.run(
      bed.root,
      'CREATE OR REPLACE DATABASE elsewhere',
      'CREATE TABLE elsewhere.orders (id INT PRIMARY KEY)',
    );
    await bed.run(bed.root, 'DELETE FROM items', cascade('items', 'elsewhere.orders', 'ON DELETE CASCADE'));
    expect((await findings())[0]).toMatchObject({
      check: 'foreign_key',
      found: expect.stringContaining('`elsewhere`'),
    });
  });

  it('refuses prepared transactions, and a server that takes no writes', async () => {
    const app = await bed.as('app');
    await bed.run(app, "XA START 'x'", 'DELETE FROM other', "XA END 'x'", "XA PREPARE 'x'");
    await bed.run(bed.root, 'SET GLOBAL read_only = ON');
    expect((await findings()).slice(0, 2).map(({ check }) => check)).toEqual(['read_only', 'xa']);
    await bed.run(app, "XA ROLLBACK 'x'");
    await bed.run(bed.root, 'SET GLOBAL read_only = OFF');
  });

  it('refuses Galera', async () => {
    const connection = Object.create(bed.root);
    connection.query = async (sql: unknown, ...values: unknown[]) => {
      const result = (await (bed.root.query as (...args: unknown[]) => Promise<unknown>)(sql, ...values)) as object[][];
      const isSettings = sql === 'SHOW GLOBAL VARIABLES';
      const row = result[0]?.find((each) => isSettings && Object.values(each)[0] === 'wsrep_on');
      if (row) Object.assign(row, { Value: 'ON' });
      return result;
    };
    expect((await fenceFindings(connection, bed.fence))[0]).toMatchObject({ check: 'wsrep_on' });
  });

  it.each<[string, string[], string, string[]]>([
    ['nothing but the right to read', ['SELECT ON shop.*'], 'OFF', ['TRIGGER', 'SUPER']],
    ['no right to see the columns', ['TRIGGER ON shop.*', 'SUPER ON *.*'], 'OFF', ['SELECT']],
    ['no right to make what is logged', ['SELECT, TRIGGER ON shop.*'], 'OFF', ['SUPER']],
    ['no right to name another account', ['SELECT, TRIGGER ON shop.*'], 'ON', ['SET USER']],
    ['nothing missing', ['SELECT, TRIGGER ON shop.*', 'SUPER ON *.*'], 'OFF', []],
    ['nothing missing where the server trusts', ['SELECT, TRIGGER ON shop.*', 'SET USER ON *.*'], 'ON', []],
    ['everything', ['ALL ON *.*'], 'OFF', []],
  ])('asks of the account that makes it what it takes: %s', async (_, granted, trust, missing) => {
    await bed.run(bed.root, "CREATE OR REPLACE USER dba IDENTIFIED BY 'p'", 'GRANT ALL ON banyan.* TO dba');
    await bed.run(bed.root, ...granted.map((grant) => `GRANT ${grant} TO dba`));
    await bed.run(bed.root, `SET GLOBAL log_bin_trust_function_creators = ${trust}`);
    const dba = await bed.as('dba' as 'app').catch(() => undefined);
    if (!dba) throw new Error('dba cannot sign in');
    const refused = await creatorRefusals(dba, bed.fence, await inspect(bed.root, bed.fence));
    expect(refused.map(({ needed }) => needed)).toEqual(missing);
    const install = bed.install(dba);
    if (missing.length === 0) await install;
    else await expect(install).rejects.toMatchObject({ code: 'BNY-CDC-FENCE' });
    await bed.run(bed.root, 'SET GLOBAL log_bin_trust_function_creators = OFF');
  });

  it('is taken back whole, and leaves the row', async () => {
    await bed.install();
    await bed.run(bed.root, 'CREATE TABLE new LIKE items', 'RENAME TABLE items TO old, new TO items');
    await bed.run(bed.root, CREATE);
    await bed.remove();
    expect(await names()).toEqual(['mine']);
    expect(await read(bed.root, 'orders', 'banyan')).toMatchObject({ owner: 'monolith' });
  });

  it('is not taken back while a service owns the domain', async () => {
    await bed.install();
    await bed.owner('service', 3);
    const found = expect.stringContaining('is owned by its service (epoch 3)');
    await expect(bed.remove()).rejects.toMatchObject({ code: 'BNY-CDC-FENCE', found });
    expect(await names()).toEqual(NAMES);
  });

  it('lets nobody change the owner while it is taken back', async () => {
    await bed.install();
    const coordinator = await bed.as('banyan');
    const admin = await bed.as('root');
    const query = admin.query.bind(admin) as (...args: unknown[]) => Promise<unknown>;
    const polls: number[] = [];
    admin.query = (async (sql: unknown, ...values: unknown[]) => {
      if (String(sql).startsWith('DROP'))
        await coordinator
          .query('SELECT * FROM banyan.ownership FOR UPDATE NOWAIT')
          .catch(({ errno }: { errno: number }) => polls.push(errno));
      return query(sql, ...values);
    }) as typeof admin.query;
    const { ours } = await inspect(bed.root, bed.fence);
    const steps = ours.map(({ name, table }) => ({ sql: `DROP TRIGGER shop.${name}`, table }));
    await takeDown(admin, await bed.as('root'), bed.fence, steps);
    expect(polls).toEqual(Array(6).fill(1205));
  });
});
