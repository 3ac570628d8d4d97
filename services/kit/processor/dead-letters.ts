import { z } from 'zod';
import {
  BanyanError,
  deadTopic,
  type EventLog,
  type LoggedEvent,
  MAX_APPEND_BYTES,
  type NewEvent,
  START,
} from '../../../log/index.ts';
import { serviceFault } from '../errors.ts';

const place = { topic: z.string(), partition: z.number().int(), offset: z.number().int(), id: z.string() };
const died = z.object({
  event: z.looseObject({ ...place, key: z.string(), type: z.string(), time: z.string() }),
  error: z.object({ code: z.string(), message: z.string() }),
  attempts: z.number().int(),
});
const handled = z.object({ event: z.object(place) });

/** An event that its handler failed at. Its data stands at its own place in the log, and as a copy in the dead letter. */
export interface DeadLetter extends z.infer<typeof died> {
  /** When it was given up. */
  time: string;
}

/** The dead letters that lie open: those that died and were not handled since, in the order in which they first died. */
export class DeadLetters {
  readonly open = new Map<string, DeadLetter>();

  apply({
    type,
    version,
    data,
    time,
    topic,
    offset,
  }: Pick<LoggedEvent, 'type' | 'version' | 'data' | 'time' | 'topic' | 'offset'>): void {
    if (version !== 1 || !(type === 'EventDied' || type === 'EventHandled')) {
      throw serviceFault('BNY-SERVICE-UNKNOWN-EVENT', { found: `${type} version ${version} at ${topic} ${offset}` });
    }
    const parsed: unknown = JSON.parse(data);
    if (type === 'EventHandled') {
      this.open.delete(handled.parse(parsed).event.id);
      return;
    }
    const { event, error, attempts } = died.parse(parsed);
    const { data: _, ...attributes } = event;
    this.open.set(event.id, { event: attributes as DeadLetter['event'], error, attempts, time });
  }

  /** Whether events of this aggregate have to wait behind a dead one. */
  has(key: string): boolean {
    return [...this.open.values()].some(({ event }) => event.key === key);
  }
}

/** Reads a processor's dead letters as they stand; of one partition, or of all. @throws the signal's reason when it aborts */
export async function readDeadLetters(
  log: EventLog,
  processor: string,
  of?: { topic: string; partition: number },
  signal?: AbortSignal,
): Promise<DeadLetters> {
  const letters = new DeadLetters();
  const topic = deadTopic(processor);
  for await (const batch of log.read({ [topic]: [START] }, { follow: false, ...(signal && { signal }) })) {
    for (const record of batch) if (!of || record.key === placeOf(of)) letters.apply(record);
  }
  signal?.throwIfAborted();
  return letters;
}

/** The key of a dead letter: only who holds that partition appends it. */
function placeOf({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`;
}

export function diedEvent(processor: string, event: LoggedEvent, error: unknown, attempts: number): NewEvent {
  const { data, ...attributes } = event;
  const letter = { error: describe(error, event), attempts };
  const whole = JSON.stringify({ event: { ...attributes, data: JSON.parse(data) }, ...letter });
  // The log keeps the event itself for ever: what would not fit is read there.
  const fits = whole.length <= MAX_APPEND_BYTES;
  return record(processor, event, 'EventDied', fits ? whole : JSON.stringify({ event: attributes, ...letter }));
}

export function handledEvent(processor: string, event: DeadLetter['event']): NewEvent {
  const { topic, partition, offset, id } = event;
  return record(processor, event, 'EventHandled', JSON.stringify({ event: { topic, partition, offset, id } }));
}

type Place = Pick<LoggedEvent, 'topic' | 'partition' | 'id'>;

function record(processor: string, event: Place, type: string, data: string): NewEvent {
  const time = new Date().toISOString();
  const id = `${type}:${event.id}:${time}`;
  const origin = `processor:${processor}`;
  return { topic: deadTopic(processor), key: placeOf(event), id, type, version: 1, time, data, origin, epoch: 0 };
}

/** The event of a dead letter as it stands in the log. */
export async function originalOf(
  log: EventLog,
  { topic, partition, offset }: DeadLetter['event'],
): Promise<LoggedEvent> {
  const ends = (await log.ends([topic]))[topic] ?? [];
  const from = { [topic]: ends.map((end, i) => ({ offset: i === partition ? offset - 1 : end, id: '' })) };
  for await (const batch of log.read(from, { follow: false, limit: 1 })) {
    const found = batch.find((event) => event.partition === partition);
    if (found?.offset === offset) return found;
    if (found) break;
  }
  throw serviceFault('BNY-SERVICE-STORE-LOG', {
    found: `no event at ${topic} partition ${partition} offset ${offset}`,
  });
}

const MESSAGE_LENGTH = 500;

/** An error as everybody may read it: what the event holds is taken out of its message. Anything can be thrown. */
export function describe(error: unknown, event: LoggedEvent): { code: string; message: string } {
  if (BanyanError.is(error)) return { code: error.code, message: withoutValues(error.message, event) };
  const { code, name, message } = Object(error) as Record<'code' | 'name' | 'message', unknown>;
  if (typeof message !== 'string') return { code: 'unknown', message: 'something was thrown that is no error' };
  const named = [code, name].find((each) => typeof each === 'string') ?? 'unknown';
  return { code: named.slice(0, MESSAGE_LENGTH), message: withoutValues(message, event) };
}

function withoutValues(message: string, { data, key }: LoggedEvent): string {
  const values = [...new Set([key, ...leaves(JSON.parse(data))])].filter(
    (value) => value.trim() !== '' && message.includes(value),
  );
  // The longest first: a value may be a part of another.
  values.sort((a, b) => b.length - a.length);
  let text = message;
  for (const value of values) text = hide(text, value);
  return text.slice(0, MESSAGE_LENGTH);
}

/** Takes a value out where it stands by itself: a member 5 must not spoil a status 503. */
function hide(text: string, value: string): string {
  const escaped = value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return text.replace(new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'gu'), '…');
}

function leaves(value: unknown): string[] {
  if (typeof value === 'string' || typeof value === 'number') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(leaves);
}
