import { type Captures, changedFields, fields } from 'banyan/kit';
import type { events, Item, Order } from './events.ts';

/** One change of a row in, events out: no clock, no other row. `fields` gives the row with camelCase names. */
export const capture: Captures<typeof events, 'orders' | 'order_items'> = {
  orders(change) {
    const id = change.key[0] as number;
    if (!change.after) return { type: 'OrderRemoved', key: id, data: { id } };
    const order = fields<Order>(change.after);
    if (!change.before) return { type: 'OrderPlaced', key: id, data: order };
    return { type: 'OrderChanged', key: id, data: { ...order, changed: changedFields(change) } };
  },

  order_items({ key, after }) {
    const [orderId, line] = key as [number, number];
    if (!after) return { type: 'ItemRemoved', key: orderId, data: { orderId, line } };
    return { type: 'ItemSet', key: orderId, data: fields<Item>(after) };
  },
};
