import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { command, type Decision, defineDomain, defineEvents, defineProjection, given, reply } from './index.ts';

const events = defineEvents('orders', { OrderPlaced: z.object({ id: z.int(), text: z.string() }) });
let calls = 0;

const place = (decided: (id: number, text: string) => Decision<typeof events>) =>
  command<typeof events, string>({
    load: async ({ body }) => {
      if (typeof body !== 'string') throw reply(400, 'text is needed');
      return body;
    },
    decide: (text, { newId }) => decided(newId('orders'), text),
  });
const placed = (id: number, text: string) => ({ type: 'OrderPlaced', key: id, data: { id, text } }) as const;

const orders = defineDomain({
  name: 'orders',
  tables: { orders: { key: ['id'], columns: ['id', 'text'] } },
  events,
  capture: { orders: () => undefined },
  projection: defineProjection(
    { orders: { from: 'orders', columns: { id: 'integer', text: 'text' }, key: ['id'] } },
    (on) => [on(events, { OrderPlaced: ({ data }, db) => db.orders.put(data) })],
  ),
  queries: {},
  routes: { reads: [], writes: ['POST /orders', 'POST /chance', 'POST /misfits'] },
  commands: {
    'POST /orders': place((id, text) => ({
      events: [placed(id, text)],
      answer: async (db) => reply(201, await db('orders').orderBy('id'), { location: `/orders/${id}` }),
    })),
    'POST /chance': place((id) => ({ events: [placed(id, String(calls++))], answer: reply(204) })),
    'POST /misfits': place((id) => ({ events: [placed(id, 7 as unknown as string)], answer: reply(204) })),
  },
  handback: { OrderPlaced: ({ data }) => [{ table: 'orders', put: data }] },
});

describe('given events, when a request comes', () => {
  const told = ['orders', 'OrderPlaced', { id: 1, text: 'first' }] as const;

  it('then its events are applied before the answer is asked for', async () => {
    expect(await given(orders, told).when('POST /orders', { body: 'second' })).toEqual({
      status: 201,
      headers: { location: '/orders/1001' },
      body: [
        { id: 1, text: 'first' },
        { id: 1001, text: 'second' },
      ],
      events: [placed(1001, 'second')],
    });
  });

  it('then a refusal has no events', async () => {
    expect(await given(orders).when('POST /orders')).toEqual({
      status: 400,
      headers: {},
      body: 'text is needed',
      events: [],
    });
  });

  it('fails when the decision depends on anything else', async () => {
    await expect(given(orders).when('POST /chance', { body: '' })).rejects.toThrow('decide is not pure');
  });

  it('fails when an event does not fit its schema, decided or told', async () => {
    await expect(given(orders).when('POST /misfits', { body: '' })).rejects.toThrow('BNY-SERVICE-EVENT');
    const wrong = given(orders, ['orders', 'OrderPlaced', { id: 1 }]);
    await expect(wrong.when('POST /orders', { body: '' })).rejects.toThrow('BNY-SERVICE-EVENT');
  });

  it('fails when there is no such command or topic', async () => {
    await expect(given(orders).when('PUT /orders')).rejects.toThrow('no command for PUT /orders');
    await expect(given(orders, ['parcels', 'Sent', {}]).when('POST /orders')).rejects.toThrow('does not read parcels');
  });
});
