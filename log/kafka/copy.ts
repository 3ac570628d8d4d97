import { createHash } from 'node:crypto';
import { logFault } from '../errors.ts';
import { type Checkpoint, type EventLog, type LoggedEvent, MAX_APPEND_BYTES, START } from '../types.ts';
import { clusterFault } from './errors.ts';
import { kafkaFault } from './fault.ts';
import { identify } from './identity.ts';
import { type KafkaLogOptions, openKafkaLog } from './log.ts';
import { lastOf, Producer } from './producer.ts';
import { toMessage } from './records.ts';
import { lastCommitted, visible } from './stand.ts';
import { checkpointTopic, ensureTopics, IDENTITY_TOPIC, wantedTopics } from './topics.ts';
import { Wire } from './wire.ts';
import { checkpointMessage } from './writer.ts';

/** What a log is copied from: topics whose offsets count from 0 without gaps. */
export interface CopyOptions {
  from: EventLog;
  to: KafkaLogOptions;
  /** The one writer of all topics that are not posted to. */
  writer: string;
  /** Topics without a writer, to which anybody may post. */
  posted: readonly string[];
  onProgress(events: number): void;
  signal: AbortSignal;
}

export interface Copied {
  events: number;
  /** Over every event, the same on both sides. */
  hash: string;
}

/**
 * Copies a log into an empty one on Kafka, event by event at the same offsets: what is appended without a transaction
 * leaves no gaps. So cursors and checkpoints stay valid as they are. Goes on where it was broken off. The checkpoint comes
 * last, when both sides have been read once more and compared and the progress of processors is handed over: it tells
 * that the copy is whole. Compacted topics hold signs of life only and begin anew.
 *
 * @throws BNY-LOG-ANOTHER when the target holds something else; BNY-LOG-CONFLICT when the source was written to meanwhile
 */
export async function copyToKafka(options: CopyOptions): Promise<Copied> {
  const { from, to, writer } = options;
  const prefix = to.prefix ?? '';
  const topics = Object.keys(to.topics).filter((topic) => !to.topics[topic]?.compacted);
  await ensureTopics(to, wantedTopics(to));
  const names = [...topics, IDENTITY_TOPIC].map((topic) => prefix + topic);
  const before = await from.checkpoint(writer);
  const wire = await Wire.open(to, [...names, checkpointTopic(prefix, writer)]);
  try {
    await giveIdentity(wire, prefix, await from.identity());
    const producer = await Producer.open(wire);
    let events = 0;
    for (const topic of topics) events = await copyTopic(wire, producer, topic, events, options);
  } catch (error) {
    throw kafkaFault(error, wire.where);
  } finally {
    await wire.close();
  }
  return finish(options, topics, before);
}

async function giveIdentity(wire: Wire, prefix: string, needed: string): Promise<void> {
  const found = await identify(wire, prefix, needed);
  if (found === needed) return;
  throw logFault('BNY-LOG-ANOTHER', {
    found: `log ${found} in the target`,
    needed: `an empty one, or a copy of ${needed}`,
    cure: `Copy to another \`log.prefix\`; or, if nothing in log ${found} is needed, stop whatever uses it and delete its topics: docs/kafka.md lists them${prefix && `, here with ${prefix} before each name`}.`,
  });
}

async function copyTopic(
  wire: Wire,
  producer: Producer,
  topic: string,
  copied: number,
  options: CopyOptions,
): Promise<number> {
  const { from, to, writer, posted, onProgress, signal } = options;
  const name = (to.prefix ?? '') + topic;
  let events = copied;
  const partitions = to.topics[topic]?.partitions ?? 1;
  const cursors = await Promise.all(
    Array.from({ length: partitions }, async (_, partition) => {
      const place = { topic: name, partition };
      const [stable = 0] = await wire.offsets([place], 'stable');
      const last = await lastCommitted(wire, place, stable);
      events += stable;
      return last ? { offset: last.offset, id: last.headers.get('ce_id') ?? '' } : START;
    }),
  );
  for await (const batch of from.read({ [topic]: cursors }, { follow: false, signal })) {
    for (const [partition, own] of Map.groupBy(batch, (event) => event.partition)) {
      const by = posted.includes(topic) ? '' : writer;
      for (const part of partsOf(own)) {
        const messages = part.map((event) => toMessage(event, event.sequence, by));
        const [placed] = await producer.send([{ topic: name, partition, messages }]);
        const [needed] = part as [LoggedEvent];
        if (placed?.firstOffset === needed.offset) continue;
        throw clusterFault('BNY-LOG-FOREIGN', {
          found: `offset ${placed?.firstOffset} of ${name} partition ${partition}`,
          needed: `offset ${needed.offset}`,
        });
      }
    }
    events += batch.length;
    onProgress(events);
  }
  signal.throwIfAborted();
  return events;
}

/** What is read at once can be more than a topic takes in one batch; an append never is. */
function* partsOf(events: readonly LoggedEvent[]): Generator<LoggedEvent[]> {
  let part: LoggedEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    if (part.length > 0 && bytes + event.data.length > MAX_APPEND_BYTES) {
      yield part;
      [part, bytes] = [[], 0];
    }
    part.push(event);
    bytes += event.data.length;
  }
  yield part;
}

async function finish(
  { from, to, writer, posted, signal }: CopyOptions,
  topics: string[],
  before: Checkpoint | undefined,
): Promise<Copied> {
  const target = openKafkaLog(to);
  try {
    const [here, there] = [await digest(from, topics, to, signal), await digest(target, topics, to, signal)];
    const after = await from.checkpoint(writer);
    if (after?.number !== before?.number) {
      throw logFault('BNY-LOG-CONFLICT', {
        found: 'the log was written to while it was copied',
        needed: 'one at rest',
        cure: 'Stop `banyan up` and every `banyan emit`, then copy again: it goes on where it was.',
      });
    }
    if (here.hash !== there.hash) {
      throw logFault('BNY-LOG-ANOTHER', {
        found: `${there.events} events, hash ${there.hash}`,
        needed: `${here.events} events, hash ${here.hash}`,
      });
    }
    if (!(await target.checkpoint(writer))) {
      const others = to.writers.filter((id) => id !== writer);
      await handOver(from, target, others);
      // Of topics that begin anew it would claim ends that they do not have.
      const ends = after && Object.fromEntries(Object.entries(after.ends).filter(([topic]) => topics.includes(topic)));
      if (after && ends) await giveCheckpoint(to, writer, { ...after, ends }, sequencesOf(here.sequences, posted));
    }
    return { events: here.events, hash: here.hash };
  } finally {
    await target.close();
  }
}

/** The progress of processors, anew at each attempt: the old log may have gone on since the one before. */
async function handOver(from: EventLog, to: EventLog, writers: readonly string[]): Promise<void> {
  for (const id of writers) {
    const checkpoint = await from.checkpoint(id);
    if (!checkpoint) continue;
    const writer = await to.writer(id);
    await writer.append([], checkpoint.state).finally(() => writer.close());
  }
}

async function giveCheckpoint(
  to: KafkaLogOptions,
  writer: string,
  checkpoint: Checkpoint,
  sequences: Record<string, number>,
): Promise<void> {
  const place = { topic: checkpointTopic(to.prefix ?? '', writer), partition: 0 };
  const wire = await Wire.open(to, [place.topic]);
  try {
    const producer = await Producer.open(wire);
    const placed = await producer.send([{ ...place, messages: [checkpointMessage({ ...checkpoint, sequences })] }]);
    await visible(wire, placed.map(lastOf));
  } finally {
    await wire.close();
  }
}

/** Of what is posted nobody counts on. */
function sequencesOf(sequences: Record<string, number>, posted: readonly string[]): Record<string, number> {
  return Object.fromEntries(Object.entries(sequences).filter(([topic]) => !posted.includes(topic)));
}

const COMPARED = [
  ...(['topic', 'partition', 'offset', 'sequence', 'key', 'id', 'type', 'version', 'time', 'data'] as const),
  ...(['origin', 'epoch', 'position', 'seed'] as const),
];

/** A hash over all events, topic by topic in the order of offsets, and the sequence number that comes next in each. */
async function digest(
  log: EventLog,
  topics: readonly string[],
  { topics: options }: KafkaLogOptions,
  signal: AbortSignal,
) {
  const hash = createHash('sha256');
  const sequences: Record<string, number> = {};
  let events = 0;
  for (const topic of topics) {
    for (let partition = 0; partition < (options[topic]?.partitions ?? 1); partition++) {
      const ends = (await log.ends([topic]))[topic] ?? [];
      // Of the other partitions nothing.
      const from = ends.map((end, i) => (i === partition ? START : { offset: end, id: '' }));
      for await (const batch of log.read({ [topic]: from }, { follow: false, signal })) {
        for (const event of batch) {
          hash.update(JSON.stringify(COMPARED.map((name) => event[name] ?? '')));
          sequences[topic] = Math.max(sequences[topic] ?? 0, event.sequence + 1);
        }
        events += batch.length;
      }
    }
  }
  signal.throwIfAborted();
  return { hash: hash.digest('hex'), events, sequences };
}
