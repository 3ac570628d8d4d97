import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Connection } from 'mysql2/promise';
import { FenceBed, REFUSED } from './test-support.ts';

describe('the row of a fence', () => {
  let bed: FenceBed;
  let app: Connection;
  let coordinator: Connection;

  beforeAll(async () => {
    bed = await FenceBed.open();
  });
  afterAll(() => bed.close());
  beforeEach(async () => {
    await bed.anew();
    await bed.install();
    app = await bed.as('app');
    coordinator = await bed.as('banyan');
  });

  /** As the coordinator polls: whether the row could be taken, and given to the service. */
  async function take(): Promise<boolean> {
    await coordinator.query('START TRANSACTION');
    const taken = await coordinator
      .query("SELECT owner FROM banyan.ownership WHERE domain = 'orders' FOR UPDATE NOWAIT")
      .then(() => true)
      .catch((error: { errno: number }) => {
        expect(error.errno).toBe(1205);
        return false;
      });
    if (taken) await coordinator.query("UPDATE banyan.ownership SET owner = 'service', epoch = epoch + 1");
    await coordinator.query('COMMIT');
    return taken;
  }

  it.each(['READ UNCOMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'])(
    'cannot be taken while a session is open that was let by, in %s',
    async (level) => {
      await bed.run(app, `SET SESSION TRANSACTION ISOLATION LEVEL ${level}`, 'BEGIN', 'DELETE FROM items WHERE id = 1');
      expect(await take()).toBe(false);
      expect(await take()).toBe(false);
      await bed.run(app, 'COMMIT');
      expect(await take()).toBe(true);
      await expect(app.query('DELETE FROM items')).rejects.toMatchObject(REFUSED);
    },
  );

  it.each([
    ['UPDATE', "UPDATE orders SET title = 'x' WHERE id = 2"],
    ['INSERT', "INSERT INTO orders (title) VALUES ('x')"],
  ])('cannot be taken behind an open %s either', async (_, sql) => {
    await bed.run(app, 'BEGIN', sql);
    expect(await take()).toBe(false);
    await bed.run(app, 'ROLLBACK');
    expect(await take()).toBe(true);
  });

  it('is not held by a change of derived columns alone', async () => {
    await bed.run(app, 'BEGIN', 'UPDATE orders SET total = 5');
    expect(await take()).toBe(true);
    await bed.run(app, 'COMMIT');
  });

  it('stays held for what was written before a savepoint that is rolled back', async () => {
    await bed.run(app, 'BEGIN', 'DELETE FROM items WHERE id = 1', 'SAVEPOINT s', 'DELETE FROM items', 'ROLLBACK TO s');
    expect(await take()).toBe(false);
    await bed.run(app, 'COMMIT');
    expect(await take()).toBe(true);
    expect(await bed.rows('SELECT id FROM items')).toEqual([{ id: 2 }]);
  });

  it('lets nothing by behind a savepoint that takes all of a transaction back', async () => {
    await bed.run(app, 'BEGIN', 'SAVEPOINT s', 'DELETE FROM items', 'ROLLBACK TO s');
    expect(await take()).toBe(true);
    await expect(app.query('DELETE FROM items')).rejects.toMatchObject(REFUSED);
    await bed.run(app, 'COMMIT');
    expect(await bed.rows('SELECT id FROM items')).toHaveLength(2);
  });

  it.each([
    ['OFF', 'is read as it is now by', REFUSED],
    ['ON', 'changed since for', { errno: 1020 }],
  ])('with innodb_snapshot_isolation %s %s a session whose snapshot is older', async (isolation, _, error) => {
    await bed.run(app, 'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await bed.run(app, `SET innodb_snapshot_isolation = ${isolation}`, 'START TRANSACTION WITH CONSISTENT SNAPSHOT');
    expect(await take()).toBe(true);
    expect((await app.query('SELECT COUNT(*) AS n FROM items'))[0]).toEqual([{ n: 2 }]);
    await expect(app.query('DELETE FROM items')).rejects.toMatchObject(error);
  });

  it('cannot be taken from a session that works under LOCK TABLES', async () => {
    await bed.run(app, 'SET autocommit = 0', 'LOCK TABLES items WRITE', 'DELETE FROM items WHERE id = 1');
    expect(await take()).toBe(false);
    await bed.run(app, 'COMMIT', 'UNLOCK TABLES');
    expect(await take()).toBe(true);
    await bed.run(app, 'LOCK TABLES items WRITE');
    await expect(app.query('DELETE FROM items')).rejects.toMatchObject(REFUSED);
  });

  describe('is no protection from', () => {
    beforeEach(async () => {
      await bed.run(bed.root, 'CREATE TABLE parents (id INT PRIMARY KEY)', 'INSERT INTO parents VALUES (1)');
    });

    it('a foreign key that cascades from another table', async () => {
      const key = 'FOREIGN KEY (order_id) REFERENCES parents (id) ON DELETE CASCADE';
      await bed.run(bed.root, 'DELETE FROM items', 'ALTER TABLE items DROP FOREIGN KEY items_ibfk_1');
      await bed.run(bed.root, `ALTER TABLE items ADD ${key}`, "INSERT INTO items VALUES (7, 1, 'x')");
      expect(await take()).toBe(true);
      await bed.run(app, 'DELETE FROM parents');
      expect(await bed.rows('SELECT * FROM items')).toEqual([]);
    });

    it('TRUNCATE', async () => {
      expect(await take()).toBe(true);
      await bed.run(app, 'TRUNCATE items');
      expect(await bed.rows('SELECT * FROM items')).toEqual([]);
    });

    it('a table that is put in the place of a fenced one', async () => {
      expect(await take()).toBe(true);
      await bed.run(app, 'CREATE TABLE _items_new LIKE items', 'RENAME TABLE items TO _items_old, _items_new TO items');
      await bed.run(app, "INSERT INTO items VALUES (9, 9, 'x')");
      await expect(app.query('DELETE FROM _items_old')).rejects.toMatchObject(REFUSED);
    });

    it('a transaction that is prepared: it lets the row go, and commits later', async () => {
      await bed.run(app, "XA START 'x'", 'DELETE FROM items WHERE id = 1');
      expect(await take()).toBe(false);
      await bed.run(app, "XA END 'x'", "XA PREPARE 'x'");
      expect(await take()).toBe(true);
      await bed.run(app, "XA COMMIT 'x'");
      expect(await bed.rows('SELECT id FROM items')).toEqual([{ id: 2 }]);
    });
  });
});
