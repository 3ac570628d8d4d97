import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Connection } from 'mysql2/promise';
import { read } from '../fence/row.ts';
import { FenceBed, REFUSED } from '../fence/test-support.ts';
import { changeOwner, type OwnerChange } from './change-owner.ts';

const TO_SERVICE: OwnerChange = {
  domain: 'orders',
  schema: 'shop',
  tables: ['orders', 'items'],
  banyanSchema: 'banyan',
  from: { owner: 'monolith', epoch: 0 },
  to: { owner: 'service', epoch: 1 },
  switchId: 'first',
};

describe('a change of owner in the database', () => {
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

  const row = () => read(coordinator, 'orders', 'banyan');

  it('stands in the row with the next id of each table, also where the last rows are gone, and fences', async () => {
    await bed.run(app, "INSERT INTO orders (title) VALUES ('x'), ('y'), ('z')", 'DELETE FROM orders WHERE id > 2');
    expect(await changeOwner(coordinator, TO_SERVICE)).toBe('changed');
    expect(await row()).toEqual({
      owner: 'service',
      epoch: 1,
      switchId: 'first',
      nextIds: { orders: '6', items: '3' },
    });
    await expect(app.query("INSERT INTO orders (title) VALUES ('late')")).rejects.toMatchObject(REFUSED);
    const back = {
      ...TO_SERVICE,
      from: TO_SERVICE.to,
      to: { owner: 'monolith' as const, epoch: 2 },
      switchId: 'second',
    };
    expect(await changeOwner(coordinator, back)).toBe('changed');
    await bed.run(app, "INSERT INTO orders (title) VALUES ('again')");
    expect(await bed.rows('SELECT MAX(id) AS id FROM shop.orders')).toEqual([{ id: 6 }]);
  });

  it('does not wait for a transaction that was let by, and holds nobody up meanwhile', async () => {
    await bed.run(app, 'BEGIN', 'DELETE FROM items WHERE id = 1');
    const attempt = changeOwner(coordinator, TO_SERVICE);
    await sleep(200);
    // Behind one that waited for the row, it would wait as well.
    const other = await bed.as('app');
    await bed.run(other, 'SET innodb_lock_wait_timeout = 1', "INSERT INTO orders (title) VALUES ('by the way')");
    expect(await attempt).toBe('busy');
    await bed.run(app, 'COMMIT');
    expect(await changeOwner(coordinator, TO_SERVICE)).toBe('changed');
  });

  it.each([
    ['another owner', 'service', 0],
    ['another epoch', 'monolith', 1],
  ] as const)('is left undone when the row says %s', async (_, owner, epoch) => {
    await bed.owner(owner, epoch);
    expect(await changeOwner(coordinator, TO_SERVICE)).toBe('outdated');
    expect(await row()).toMatchObject({ owner, epoch });
    await bed.run(bed.root, "DELETE FROM banyan.ownership WHERE domain = 'orders'");
    expect(await changeOwner(coordinator, TO_SERVICE)).toBe('outdated');
  });

  it('leaves no lock behind, whatever becomes of it', async () => {
    await bed.owner('service', 7);
    expect(await changeOwner(coordinator, TO_SERVICE)).toBe('outdated');
    const other = await bed.as('banyan');
    await other.query("SELECT * FROM banyan.ownership WHERE domain = 'orders' FOR UPDATE NOWAIT");
    coordinator.destroy();
    await expect(changeOwner(coordinator, TO_SERVICE)).rejects.toThrow();
  });
});
