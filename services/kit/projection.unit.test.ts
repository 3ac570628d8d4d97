import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { RESET_TYPE } from '../../log/index.ts';
import { defineEvents, defineProjection, ignore } from './index.ts';
import { EventApplier, type Projection } from './projection.ts';
import { Fold } from './store/fold.ts';
import { FilledStore, logged } from './test-support.ts';

const row = z.object({ id: z.int() });
const orders = defineEvents('orders', { OrderPlaced: row, OrderErased: row });
const parcels = defineEvents('parcels', { ParcelSent: row });
const tables = {
  orders: { from: 'orders', columns: { id: 'integer' }, key: ['id'] },
  parcels: { from: 'parcels', columns: { id: 'integer' }, key: ['id'] },
} as const;

const projection = defineProjection(tables, (on) => [
  on(orders, {
    OrderPlaced: ({ data }, db) => db.orders.put(data),
    OrderErased: ({ data }, db) => db.orders.delete(data.id),
  }),
  on(parcels, { ParcelSent: ({ data }, db) => db.parcels.put(data) }),
]);

const misfit = (found: RegExp) =>
  expect.objectContaining({ code: 'BNY-SERVICE-DOMAIN', message: expect.stringMatching(found) });

describe('a projection', () => {
  it('must handle or ignore every event of a topic it reads', () => {
    const handlers = { OrderPlaced: ignore } as unknown as { OrderPlaced: () => void; OrderErased: () => void };
    const define = () => defineProjection(tables, (on) => [on(orders, handlers)]);
    expect(define).toThrow(misfit(/no handler for OrderErased of orders/));
  });

  it('must subscribe to each topic that feeds a table, once', () => {
    const all = { OrderPlaced: ignore, OrderErased: ignore };
    expect(() => defineProjection(tables, (on) => [on(orders, all)])).toThrow(
      misfit(/parcels, which is not subscribed/),
    );
    expect(() => defineProjection({}, (on) => [on(orders, all), on(orders, all)])).toThrow(misfit(/orders.* twice/));
  });
});

/** What events leave behind, table by table. */
async function rowsAfter(made: Projection, ...events: [topic: string, type: string, id?: number][]) {
  const logs = events.map(([topic, type, id], n) => logged(topic, n, type, id === undefined ? {} : { id }));
  const filled = await FilledStore.open(made, logs);
  const rows = await filled.reader.read(async (db) => [
    await db('orders').pluck('id'),
    await db('parcels').pluck('id'),
  ]);
  await filled.close();
  return rows;
}

describe('applying events', () => {
  it('sets rows and removes them', async () => {
    const placed = [1, 2, 2, 3].map((id): [string, string, number] => ['orders', 'OrderPlaced', id]);
    expect(await rowsAfter(projection, ...placed, ['orders', 'OrderErased', 2])).toEqual([[1, 3], []]);
  });

  it('clears at a reset the tables of that topic alone', async () => {
    const rows = await rowsAfter(
      projection,
      ['orders', 'OrderPlaced', 1],
      ['parcels', 'ParcelSent', 2],
      ['orders', RESET_TYPE],
      ['orders', 'OrderPlaced', 3],
    );
    expect(rows).toEqual([[3], [2]]);
  });

  it.each(['put', 'delete'] as const)('stops when a topic would %s a row of a table that another feeds', (verb) => {
    const wrong = defineProjection(tables, (on) => [
      on(orders, { OrderPlaced: ignore, OrderErased: ignore }),
      on(parcels, {
        ParcelSent: ({ data }, db) => (verb === 'put' ? db.orders.put(data) : db.orders.delete(data.id)),
      }),
    ]);
    expect(() => apply(wrong, 'parcels', 'ParcelSent', { id: 1 })).toThrow(
      stopped(/ParcelSent at parcels offset 4.*not by parcels/),
    );
  });

  it('stops at a row that does not fit its table, and at an event it does not know', () => {
    expect(() => apply(projection, 'orders', 'OrderPlaced', {})).toThrow(stopped(/orders\.id is missing/));
    const unknown = expect.objectContaining({ code: 'BNY-SERVICE-UNKNOWN-EVENT' });
    expect(() => apply(projection, 'orders', 'OrderLost', {})).toThrow(unknown);
  });
});

const stopped = (found: RegExp) =>
  expect.objectContaining({ code: 'BNY-SERVICE-PROJECTION', message: expect.stringMatching(found) });

function apply(made: Projection, topic: string, type: string, data: object): void {
  new EventApplier(made, new Fold()).apply(logged(topic, 4, type, data));
}
