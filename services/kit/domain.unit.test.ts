import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineDomain, defineEvents, defineProjection } from './index.ts';

/** A domain that fits, with parts replaced. */
function define({
  name = 'orders',
  table = 'orders',
  column = 'text',
  ...files
}: Record<string, string | number | object> = {}) {
  const events = defineEvents(String(name), { OrderSet: z.object({ id: z.int() }) });
  return defineDomain({
    name: String(name),
    tables: { [String(table)]: { key: ['id'], columns: ['id', String(column)] } },
    events,
    capture: { [String(table)]: () => undefined },
    projection: defineProjection({}, (on) => [on(events, { OrderSet: () => undefined })]),
    queries: { 'GET /orders/:id': async () => ({}) },
    routes: { reads: ['GET /orders/:id'], writes: ['POST /orders'] },
    ...files,
  } as Parameters<typeof defineDomain>[0]);
}

/** What makes a domain that fits able to take its writes. */
const writes = {
  commands: { 'POST /orders': { load: async () => 0, decide: () => ({ events: [], answer: async () => 0 }) } },
  handback: { OrderSet: () => [] },
  unique: { orders: { text: (text: string) => text } },
};

describe('the files of a domain', () => {
  it('fit together', () => {
    expect(define().routes).toEqual({
      reads: [{ method: 'GET', path: '/orders/:id' }],
      writes: [{ method: 'POST', path: '/orders' }],
    });
  });

  it('fit together with those that move writes', () => {
    expect(define(writes)).toMatchObject(writes);
    expect(define()).not.toHaveProperty('commands');
    expect(define().unique).toEqual({});
  });

  it.each<[string, Record<string, string | number | object>, RegExp]>([
    ['a name in capitals', { name: 'Orders' }, /lower-case/],
    ['the name of the control topics', { name: 'banyan' }, /lower-case/],
    ['a name that every object has', { name: 'constructor' }, /constructor.*JavaScript/],
    ['a table with such a name', { table: 'constructor' }, /JavaScript/],
    ['a column with such a name', { column: '__proto__' }, /JavaScript/],
    ['no partition', { partitions: 0 }, /0 partitions/],
    ['events of another domain', { events: defineEvents('parcels', {}) }, /events.ts is of parcels/],
    ['a table without capture', { capture: {} }, /no capture of table orders/],
    ['a key that is not captured', { tables: { orders: { key: ['id'], columns: ['text'] } } }, /key of table orders/],
    ['a read without query', { queries: {} }, /no query for GET/],
    ['a query without route', { routes: { reads: [], writes: [] } }, /does not list GET/],
    ['a write without command', { ...writes, commands: {} }, /commands.ts has nothing for POST \/orders/],
    [
      'a command without route',
      { ...writes, routes: { reads: ['GET /orders/:id'], writes: [] } },
      /has POST .* not name/,
    ],
    ['commands without handback', { commands: writes.commands }, /handback.ts has nothing for OrderSet/],
    ['a handback without commands', { handback: writes.handback }, /commands.ts has nothing for POST/],
    [
      'a handback of no event',
      { ...writes, handback: { ...writes.handback, Other: () => [] } },
      /has Other, .* not name/,
    ],
    ['a unique column that is not captured', { unique: { orders: { name: String } } }, /unique orders.name/],
    ['what is no route', { routes: { reads: ['GET /orders/:id'], writes: ['orders'] } }, /"orders" is no route/],
  ])('are refused with %s', (_, files, message) => {
    expect(() => define(files)).toThrow(message);
  });
});
