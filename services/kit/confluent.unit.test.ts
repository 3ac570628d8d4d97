import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { confluent, defineEvents, defineProjection, ignore } from './index.ts';
import { random, randomEvents } from './test-support.ts';

const orders = defineEvents('orders', { OrderPlaced: z.object({ id: z.int(), customerId: z.int() }) });
const customers = defineEvents('customers', { CustomerNamed: z.object({ id: z.int(), name: z.string() }) });

const hashes = (projection: Parameters<typeof confluent>[0]) =>
  confluent(projection, randomEvents(projection, 60, random(1)), random(2));

describe('confluent', () => {
  it('finds one hash when handlers only set what their event says', async () => {
    const projection = defineProjection(
      {
        orders: { from: 'orders', columns: { id: 'integer', customerId: 'integer' }, key: ['id'] },
        customers: { from: 'customers', columns: { id: 'integer', name: 'text' }, key: ['id'] },
      },
      (on) => [
        on(orders, { OrderPlaced: ({ data }, db) => db.orders.put(data) }),
        on(customers, { CustomerNamed: ({ data }, db) => db.customers.put(data) }),
      ],
    );
    expect((await hashes(projection)).size).toBe(1);
  });

  it('finds more when a handler adds instead of setting', async () => {
    let total = 0;
    const projection = defineProjection(
      { totals: { from: 'orders', columns: { id: 'integer', total: 'integer' }, key: ['id'] } },
      (on) => [on(orders, { OrderPlaced: (_, db) => db.totals.put({ id: 1, total: ++total }) })],
    );
    expect((await hashes(projection)).size).toBeGreaterThan(1);
  });

  it('finds more when a handler remembers what another topic said', async () => {
    const names = new Map<number, string>();
    const columns = { id: 'integer', customer: 'text' } as const;
    const projection = defineProjection({ orders: { from: 'orders', columns, key: ['id'] } }, (on) => [
      on(orders, {
        OrderPlaced: ({ data }, db) => db.orders.put({ id: data.id, customer: names.get(data.customerId) ?? '' }),
      }),
      on(customers, { CustomerNamed: ({ data }) => void names.set(data.id, data.name) }),
    ]);
    expect((await hashes(projection)).size).toBeGreaterThan(1);
  });

  it('stops when a row would be fed by two topics', async () => {
    const columns = { id: 'integer', name: 'text' } as const;
    const projection = defineProjection({ customers: { from: 'customers', columns, key: ['id'] } }, (on) => [
      on(orders, { OrderPlaced: ({ data }, db) => db.customers.put({ id: data.customerId, name: '' }) }),
      on(customers, { CustomerNamed: ignore }),
    ]);
    await expect(hashes(projection)).rejects.toMatchObject({ code: 'BNY-SERVICE-PROJECTION' });
  });
});
