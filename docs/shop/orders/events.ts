import { defineEvents } from 'banyan/kit';
import { z } from 'zod';

const order = z.object({
  id: z.int(),
  customer: z.string(),
  status: z.enum(['open', 'paid', 'shipped']),
  total: z.string(),
  placedAt: z.string(),
});

const item = z.object({ orderId: z.int(), line: z.int(), product: z.string(), quantity: z.int() });

export type Order = z.infer<typeof order>;
export type Item = z.infer<typeof item>;

export const events = defineEvents('orders', {
  OrderPlaced: order,
  OrderChanged: order.extend({ changed: z.array(z.string()) }),
  OrderRemoved: order.pick({ id: true }),
  ItemSet: item,
  ItemRemoved: item.pick({ orderId: true, line: true }),
});
