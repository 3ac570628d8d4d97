import { type Queries, reply } from 'banyan/kit';

/** The same answers as the monolith's routes, from this store alone. */
export const queries: Queries = {
  async 'GET /orders/:id'({ params, db }) {
    const order = await db('orders').where({ id: params['id'] }).first();
    if (!order) return reply(404, { error: 'no such order' });
    const items = await db('items').where({ orderId: order.id }).orderBy('line').select('line', 'product', 'quantity');
    return { ...order, items };
  },

  async 'GET /customers/:name/orders'({ params, db }) {
    const orders = await db('orders').where({ customer: params['name'] }).orderBy('id');
    return { customer: params['name'], orders };
  },
};
