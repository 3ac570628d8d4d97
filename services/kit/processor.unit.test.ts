import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineEvents, defineProcessor } from './index.ts';
import type { ProcessorFiles } from './processor.ts';

const row = z.object({ id: z.int() });
const orders = defineEvents('orders', { OrderPlaced: row, Moved: row });
const parcels = defineEvents('parcels', { ParcelSent: z.object({ weight: z.string() }), Moved: row });
const nothing = () => undefined;

type Files = ProcessorFiles<typeof orders | typeof parcels>;

describe('a processor', () => {
  it('gets the events of its topics with their types, and what it is not told about as a default', () => {
    const processor = defineProcessor({
      name: 'mailer',
      topics: [orders, parcels],
      handlers: {
        OrderPlaced: ({ data }, { idempotencyKey }) => void (data.id.toFixed() + idempotencyKey),
        ParcelSent: async ({ data }, { signal }) => void (data.weight.trim() + signal.aborted),
      },
    });
    expect([...processor.topics.keys()]).toEqual(['orders', 'parcels']);
    expect(processor).toMatchObject({ seeds: 'ignore', from: 'now', retries: 8, backoffMs: 250, deadlineMs: 30_000 });
  });

  it.each<[string, Partial<Files>, RegExp]>([
    ['a name that is none', { name: 'Mailer!' }, /a name is/],
    ['no handler', { handlers: {} }, /handles nothing/],
    ['a handler for an unknown event', { handlers: { OrderLost: nothing } as object }, /no topic .* OrderLost/],
    ['an event of two topics', { handlers: { Moved: nothing } }, /Moved is an event of orders and of parcels/],
    ['a topic twice', { topics: [orders, orders] }, /orders stands there twice/],
    ['half a retry', { retries: 0.5 }, /retries/],
    ['a deadline that is over', { deadlineMs: 0 }, /deadlineMs/],
  ])('is refused with %s', (_, wrong, found) => {
    const right: Files = { name: 'mailer', topics: [orders, parcels], handlers: { OrderPlaced: nothing } };
    expect(() => defineProcessor({ ...right, ...wrong })).toThrow(
      expect.objectContaining({ code: 'BNY-SERVICE-PROCESSOR', message: expect.stringMatching(found) }),
    );
  });
});
