import { clusterFault } from './errors.ts';
import { lastOf, Producer } from './producer.ts';
import { visible } from './stand.ts';
import { IDENTITY_TOPIC } from './topics.ts';
import type { Wire } from './wire.ts';

/** The log's identity. One that has none yet is given `offered`, unless another process comes first with its own. */
export async function identify(wire: Wire, prefix: string, offered: string): Promise<string> {
  const place = { topic: prefix + IDENTITY_TOPIC, partition: 0 };
  const first = async () => (await wire.fetch([{ ...place, from: 0 }], { waitMs: 0, bytes: 10_000 }))[0]?.records[0];
  const found = await first();
  if (found) return String(found.value);
  const producer = await Producer.open(wire);
  const messages = [{ key: 'identity', value: offered, headers: {} }];
  await visible(wire, (await producer.send([{ ...place, messages }])).map(lastOf));
  const given = await first();
  if (!given)
    throw clusterFault('BNY-LOG-UNREACHABLE', { found: `${place.topic}: nothing`, needed: 'what was written to it' });
  return String(given.value);
}
