import { defineProjection } from 'banyan/kit';
import { events } from './events.ts';

export const projection = defineProjection(
  {
    orders: {
      from: 'orders',
      columns: { id: 'integer', customer: 'text', status: 'text', total: 'text', placedAt: 'text' },
      key: ['id'],
      indexes: [['customer', 'id']],
    },
    items: {
      from: 'orders',
      columns: { orderId: 'integer', line: 'integer', product: 'text', quantity: 'integer' },
      key: ['orderId', 'line'],
    },
  },
  (on) => [
    on(events, {
      OrderPlaced: ({ data }, db) => db.orders.put(data),
      OrderChanged: ({ data }, db) => db.orders.put(data),
      OrderRemoved: ({ data }, db) => db.orders.delete(data.id),
      ItemSet: ({ data }, db) => db.items.put(data),
      ItemRemoved: ({ data }, db) => db.items.delete(data.orderId, data.line),
    }),
  ],
);
