import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineEvents } from './index.ts';
import { logged } from './test-support.ts';

const events = defineEvents('orders', {
  OrderPlaced: z.object({ id: z.int(), note: z.string().nullable() }),
  OrderPaid: {
    schema: z.object({ id: z.int(), cents: z.int() }),
    version: 3,
    upcast: {
      1: ({ euros, ...data }) => ({ ...data, amount: euros }),
      2: ({ amount, ...data }) => ({ ...data, cents: Number(amount) * 100 }),
    },
  },
  OrderSent: { schema: z.object({ id: z.int() }), version: 3, upcast: { 2: (data) => data } },
});

describe('an event on its way into the log', () => {
  it('gets the current version and the order of its schema', () => {
    const placed = { type: 'OrderPlaced', key: 1, data: { note: null, id: 1 } };
    expect(events.encode(placed)).toEqual({ version: 1, data: '{"id":1,"note":null}' });
    expect(events.encode({ type: 'OrderPaid', key: 1, data: { id: 1, cents: 5 } }).version).toBe(3);
  });

  it('is refused when it does not fit its schema, without showing its values', () => {
    const wrong = () => events.encode({ type: 'OrderPlaced', key: 1, data: { id: 'secret', note: null } });
    expect(wrong).toThrow(expect.objectContaining({ code: 'BNY-SERVICE-EVENT' }));
    expect(wrong).not.toThrow(/secret/);
    const more = () => events.encode({ type: 'OrderPlaced', key: 1, data: { id: 1, note: null, phone: '1' } });
    expect(more).toThrow(/Unrecognized key: "phone"/);
    const unknown = () => events.encode({ type: 'OrderLost', key: 1, data: {} });
    expect(unknown).toThrow(expect.objectContaining({ code: 'BNY-SERVICE-EVENT' }));
  });
});

describe('an event from the log', () => {
  it('is brought from any known version to the current one, step by step', () => {
    const data = { id: 1, cents: 700 };
    expect(events.decode(logged('orders', 0, 'OrderPaid', { id: 1, euros: 7 }, 1))).toEqual(data);
    expect(events.decode(logged('orders', 0, 'OrderPaid', { id: 1, amount: 7 }, 2))).toEqual(data);
    expect(events.decode(logged('orders', 0, 'OrderPaid', data, 3))).toEqual(data);
  });

  it.each([
    ['a version newer than this service', logged('orders', 0, 'OrderPaid', {}, 4)],
    ['a version that has no upcast', logged('orders', 0, 'OrderSent', {}, 1)],
    ['an unknown type', logged('orders', 0, 'OrderLost', {})],
    ['a type that only looks known', logged('orders', 0, 'toString', {})],
  ])('stops at %s', (_, event) => {
    expect(() => events.decode(event)).toThrow(expect.objectContaining({ code: 'BNY-SERVICE-UNKNOWN-EVENT' }));
  });
});
