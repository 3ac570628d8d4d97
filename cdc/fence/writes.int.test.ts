import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Connection, QueryOptions } from 'mysql2/promise';
import { FenceBed, REFUSED } from './test-support.ts';

describe('a fence', () => {
  let bed: FenceBed;
  let app: Connection;
  let before: unknown;

  beforeAll(async () => {
    bed = await FenceBed.open();
    await bed.install();
    writeFileSync(join(bed.server.folder, 'load.txt'), '9\tnine\n');
  });
  afterAll(() => bed.close());
  beforeEach(async () => {
    await bed.owner('monolith', 0);
    await bed.refill();
    app = await bed.as('app', ['+LOCAL_FILES']);
    before = await bed.content();
  });
  afterEach(() => app.destroy());

  const load = (how: string, local = ''): QueryOptions => ({
    sql: `LOAD DATA ${local} INFILE '${join(bed.server.folder, 'load.txt')}' ${how} INTO TABLE orders (id, title)`,
    infileStreamFactory: () => Readable.from([Buffer.from('9\tnine\n')]),
  });

  const FORMS: [string, string | (() => QueryOptions)][] = [
    ['INSERT', "INSERT INTO orders (title) VALUES ('x')"],
    ['INSERT of several rows', "INSERT INTO orders (title) VALUES ('x'), ('y'), ('z')"],
    ['INSERT IGNORE', "INSERT IGNORE INTO orders (title) VALUES ('x'), ('y')"],
    ['INSERT … SELECT', 'INSERT INTO orders (title) SELECT name FROM items'],
    ['INSERT … SET', "INSERT INTO orders SET title = 'x'"],
    ['ON DUPLICATE KEY UPDATE', "INSERT INTO orders (id) VALUES (1) ON DUPLICATE KEY UPDATE title = 'x'"],
    ['the same of a new row', "INSERT INTO orders (id) VALUES (9) ON DUPLICATE KEY UPDATE title = 'x'"],
    ['the same with IGNORE', "INSERT IGNORE INTO orders (id) VALUES (1) ON DUPLICATE KEY UPDATE title = 'x'"],
    ['REPLACE', "REPLACE INTO orders (id, title) VALUES (1, 'x')"],
    ['REPLACE of a new row', "REPLACE INTO orders (id, title) VALUES (9, 'x')"],
    ['UPDATE', "UPDATE orders SET title = 'x'"],
    ['UPDATE IGNORE', "UPDATE IGNORE orders SET title = 'x'"],
    ['UPDATE of several tables', "UPDATE other JOIN orders USING (id) SET other.name = 'y', orders.title = 'x'"],
    ['the same with IGNORE', "UPDATE IGNORE other JOIN orders USING (id) SET other.name = 'y', orders.title = 'x'"],
    ['UPDATE of the key', 'UPDATE orders SET id = 9 WHERE id = 2'],
    ['DELETE', 'DELETE FROM orders WHERE id = 2'],
    ['DELETE IGNORE', 'DELETE IGNORE FROM orders WHERE id = 2'],
    ['DELETE of several tables', 'DELETE other, items FROM other JOIN items USING (id)'],
    ['DELETE IGNORE of several tables', 'DELETE IGNORE other, items FROM other JOIN items USING (id)'],
    ['DELETE without WHERE', 'DELETE FROM items'],
    ['DELETE that cascades within the domain', 'DELETE FROM orders WHERE id = 1'],
    ['LOAD DATA', () => load('')],
    ['LOAD DATA IGNORE', () => load('IGNORE')],
    ['LOAD DATA REPLACE', () => load('REPLACE')],
    ['LOAD DATA LOCAL', () => load('', 'LOCAL')],
    ['LOAD DATA LOCAL IGNORE', () => load('IGNORE', 'LOCAL')],
    ['a write of a stored routine', 'CALL write_one()'],
  ];

  it.each(FORMS)('lets a service that owns the domain be written past by nobody: %s', async (_, form) => {
    await bed.run(bed.root, "CREATE OR REPLACE PROCEDURE write_one() INSERT INTO orders (title) VALUES ('x')");
    const statement = () => app.query((typeof form === 'string' ? { sql: form } : form()) as QueryOptions);
    await bed.owner('service', 3);
    await expect(statement()).rejects.toMatchObject({
      ...REFUSED,
      message: 'banyan: orders is owned by its service (epoch 3)',
    });
    expect(await bed.content()).toEqual(before);
    await bed.owner('monolith', 4);
    await statement();
    expect(await bed.content()).not.toEqual(before);
  });

  it.each(['READ UNCOMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'])(
    'refuses in %s too',
    async (level) => {
      await bed.owner('service', 1);
      await bed.run(app, `SET SESSION TRANSACTION ISOLATION LEVEL ${level}`);
      await expect(app.query('DELETE FROM items')).rejects.toMatchObject(REFUSED);
    },
  );

  it('lets nobody write without a row', async () => {
    await bed.run(bed.root, 'DELETE FROM banyan.ownership');
    const message = 'banyan: orders has no owner: no row in banyan.ownership';
    await expect(app.query('DELETE FROM items')).rejects.toMatchObject({ ...REFUSED, message });
    const handback = await bed.as('banyan_handback');
    await bed.run(handback, 'SET @banyan_epoch = 0');
    await expect(handback.query('DELETE FROM items')).rejects.toMatchObject({ ...REFUSED, message });
  });

  it.each<[string, 'monolith' | 'service', string, boolean]>([
    ['the epoch of the row', 'service', '3', true],
    ['an older epoch', 'service', '2', false],
    ['a newer epoch', 'service', '4', false],
    ['no epoch', 'service', 'NULL', false],
    ['the epoch of the row, which is the monolith’s', 'monolith', '3', false],
    ['no epoch, while the monolith owns', 'monolith', 'NULL', false],
  ])('lets the handback write by owner and epoch: with %s', async (_, owner, epoch, may) => {
    await bed.owner(owner, 3);
    const handback = await bed.as('banyan_handback');
    await bed.run(handback, `SET @banyan_epoch = ${epoch}`);
    const write = handback.query("UPDATE items SET name = 'y'");
    if (may) await write;
    else await expect(write).rejects.toMatchObject({ ...REFUSED, message: expect.stringContaining('; handback has') });
    expect((await bed.rows("SELECT * FROM items WHERE name = 'y'")).length > 0).toBe(may);
  });

  it('takes the epoch from nobody but the account of the handback', async () => {
    await bed.owner('service', 3);
    await bed.run(app, 'SET @banyan_epoch = 3');
    await expect(app.query('DELETE FROM items')).rejects.toMatchObject(REFUSED);
  });

  it.each(['Banyan_Handback', 'banyan_handback@x', 'banyanXhandback'])(
    'takes no other account for that of the handback: %s',
    async (name) => {
      await bed.run(bed.root, `CREATE OR REPLACE USER '${name}' IDENTIFIED BY 'p'`, `GRANT ALL ON *.* TO '${name}'`);
      const other = await bed.as(name as 'app');
      await bed.run(other, 'SET @banyan_epoch = 3');
      await bed.owner('service', 3);
      await expect(other.query('DELETE FROM items')).rejects.toMatchObject(REFUSED);
      await bed.owner('monolith', 4);
      await bed.run(other, 'DELETE FROM items');
    },
  );

  it.each([
    ['a derived column', 'total = total + 1', true],
    ['nothing', 'title = title, total = total', true],
    ['a derived column, and the others to what they are', 'total = 7, title = title, weight = weight', true],
    ['another one', "title = 'x'", false],
    ['a derived column and another one', "total = 7, title = 'x'", false],
    ['the case of a letter', "title = 'Two'", false],
    ['a trailing space', "title = 'two '", false],
    ['a value to NULL', 'title = NULL', false],
    ['NULL to a value', "at = '2026-01-01'", false],
    ['a number by less than six digits show', 'weight = weight + 0.0000001', false],
    ['its key', 'id = 9', false],
  ])('lets a change of derived columns alone pass: %s', async (_, assignment, may) => {
    await bed.owner('service', 3);
    const write = app.query(`UPDATE orders SET ${assignment} WHERE id = 2`);
    if (may) await write;
    else await expect(write).rejects.toMatchObject(REFUSED);
  });

  it('looks at what ON UPDATE changes beside a derived column', async () => {
    await bed.run(bed.root, 'ALTER TABLE orders MODIFY at TIMESTAMP NULL ON UPDATE CURRENT_TIMESTAMP');
    await bed.install();
    await bed.owner('service', 3);
    await expect(app.query('UPDATE orders SET total = 9')).rejects.toMatchObject(REFUSED);
    await bed.run(app, 'UPDATE orders SET total = 9, at = at');
  });
});
