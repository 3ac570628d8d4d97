import { z } from 'zod';
import {
  type Captures,
  type Domain,
  defineDomain,
  defineEvents,
  defineProjection,
  fields,
  type Queries,
} from '../../../services/kit/index.ts';

const order = z.object({
  id: z.int(),
  customerId: z.int(),
  sku: z.string(),
  title: z.string(),
  quantity: z.int(),
  price: z.string(),
  weight: z.number().nullable(),
  status: z.enum(['open', 'paid', 'shipped']),
  placedAt: z.string(),
  updatedAt: z.string(),
  note: z.string(),
});

const orderEvents = defineEvents('orders', { OrderPlaced: order, OrderRemoved: order.pick({ id: true }) });

const captureOrders: Captures<typeof orderEvents, 'orders'> = {
  orders({ key, after }) {
    const id = key[0] as number;
    if (!after) return { type: 'OrderRemoved', key: id, data: { id } };
    return { type: 'OrderPlaced', key: id, data: fields<z.infer<typeof order>>(after) };
  },
};

const reading = z.object({
  id: z.int(),
  sensorId: z.int(),
  label: z.string(),
  value: z.string(),
  takenAt: z.string(),
});

const readingEvents = defineEvents('readings', { ReadingTaken: reading, ReadingRemoved: reading.pick({ id: true }) });

const captureReadings: Captures<typeof readingEvents, 'readings'> = {
  readings({ key, after }) {
    const id = key[0] as number;
    if (!after) return { type: 'ReadingRemoved', key: id, data: { id } };
    return { type: 'ReadingTaken', key: id, data: fields<z.infer<typeof reading>>(after) };
  },
};

/** Nobody asks: what is measured ends at the store. */
const NO_QUERIES: Queries = {};

export const orders: Domain = defineDomain({
  name: 'orders',
  tables: {
    orders: {
      key: ['id'],
      columns: [
        'id',
        'customer_id',
        'sku',
        'title',
        'quantity',
        'price',
        'weight',
        'status',
        'placed_at',
        'updated_at',
        'note',
      ],
    },
  },
  routes: { reads: [], writes: [] },
  events: orderEvents,
  capture: captureOrders,
  projection: defineProjection(
    {
      orders: {
        from: 'orders',
        columns: {
          id: 'integer',
          customerId: 'integer',
          sku: 'text',
          title: 'text',
          quantity: 'integer',
          price: 'text',
          weight: 'real?',
          status: 'text',
          placedAt: 'text',
          updatedAt: 'text',
          note: 'text',
        },
        key: ['id'],
        indexes: [['customerId']],
      },
    },
    (on) => [
      on(orderEvents, {
        OrderPlaced: ({ data }, db) => db.orders.put(data),
        OrderRemoved: ({ data }, db) => db.orders.delete(data.id),
      }),
    ],
  ),
  queries: NO_QUERIES,
});

export const readings: Domain = defineDomain({
  name: 'readings',
  tables: { readings: { key: ['id'], columns: ['id', 'sensor_id', 'label', 'value', 'taken_at'] } },
  routes: { reads: [], writes: [] },
  events: readingEvents,
  capture: captureReadings,
  projection: defineProjection(
    {
      readings: {
        from: 'readings',
        columns: { id: 'integer', sensorId: 'integer', label: 'text', value: 'text', takenAt: 'text' },
        key: ['id'],
      },
    },
    (on) => [
      on(readingEvents, {
        ReadingTaken: ({ data }, db) => db.readings.put(data),
        ReadingRemoved: ({ data }, db) => db.readings.delete(data.id),
      }),
    ],
  ),
  queries: NO_QUERIES,
});
