import { defineDomain } from 'banyan/kit';
import { capture } from './capture.ts';
import { events } from './events.ts';
import { projection } from './projection.ts';
import { queries } from './queries.ts';

export const orders = defineDomain({
  name: 'orders',
  tables: {
    orders: { key: ['id'], columns: ['id', 'customer', 'status', 'total', 'placed_at'], excluded: ['card_number'] },
    order_items: { key: ['order_id', 'line'], columns: ['order_id', 'line', 'product', 'quantity'] },
  },
  routes: {
    reads: ['GET /orders/:id', 'GET /customers/:name/orders'],
    writes: ['POST /orders', 'PATCH /orders/:id'],
  },
  events,
  capture,
  projection,
  queries,
});
