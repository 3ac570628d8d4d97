import { placeOf } from '../append.ts';
import type { LoggedEvent, NewEvent, Topics } from '../types.ts';
import { clusterFault } from './errors.ts';
import type { Load, Message } from './producer.ts';
import type { KafkaRecord } from './record-batch.ts';
import type { Written } from './writer-order.ts';

/** The events by partition, each with its sequence number, which is counted on in `sequences`. */
export function toLoads(
  events: readonly NewEvent[],
  { prefix, topics }: { prefix: string; topics: Topics },
  writer: string,
  sequences: Record<string, number>,
): Load[] {
  const loads = new Map<string, Load>();
  for (const event of events) {
    const partition = placeOf(event, topics);
    const sequence = sequences[event.topic] ?? 0;
    sequences[event.topic] = sequence + 1;
    const place = `${event.topic}/${partition}`;
    const load = loads.get(place) ?? { topic: prefix + event.topic, partition, messages: [] };
    load.messages.push(toMessage(event, sequence, writer));
    loads.set(place, load);
  }
  return [...loads.values()];
}

/**
 * Events as Kafka records: CloudEvents 1.0 in binary mode, attributes as headers `ce_…`, Banyan's own as extensions.
 * Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
 */
export function toMessage(event: NewEvent, sequence: number, writer: string): Message {
  const { key, id, type, version, time, origin, epoch, position, seed, data } = event;
  return {
    key,
    value: data,
    headers: {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: id,
      ce_type: type,
      ce_source: origin,
      ce_time: time,
      ce_typeversion: String(version),
      ce_epoch: String(epoch),
      ce_writer: writer,
      ce_sequence: String(sequence),
      ...(position !== undefined && { ce_position: position }),
      ...(seed !== undefined && { ce_seed: seed }),
    },
  };
}

/** @throws BNY-LOG-FOREIGN when somebody else has written the record */
export function toEvent(topic: string, partition: number, record: KafkaRecord): Written {
  const { headers, key, value, offset } = record;
  const header = (name: string): string => {
    const found = headers.get(name);
    if (found === undefined) throw foreign(topic, partition, offset, `no header ${name}`);
    return found;
  };
  if (key === null || value === null) throw foreign(topic, partition, offset, key ? 'no value' : 'no key');
  const event: Omit<LoggedEvent, 'position' | 'seed'> & { position: string | undefined; seed: string | undefined } = {
    topic,
    partition,
    offset,
    key: key.toString(),
    id: header('ce_id'),
    type: header('ce_type'),
    version: Number(header('ce_typeversion')),
    time: header('ce_time'),
    data: value.toString(),
    origin: header('ce_source'),
    epoch: Number(header('ce_epoch')),
    position: headers.get('ce_position'),
    seed: headers.get('ce_seed'),
    sequence: Number(header('ce_sequence')),
  };
  return { event: event as LoggedEvent, writer: headers.get('ce_writer') ?? '' };
}

function foreign(topic: string, partition: number, offset: number, found: string) {
  return clusterFault('BNY-LOG-FOREIGN', {
    found: `${found} at ${topic} partition ${partition} offset ${offset}`,
    needed: 'events that Banyan has written, and nothing else in its topics',
  });
}
