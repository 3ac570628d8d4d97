import { randomUUID } from 'node:crypto';
import { checkAppend, placeOf, unknownTopic } from '../append.ts';
import { Doorbell } from '../doorbell.ts';
import { logFault } from '../errors.ts';
import {
  type Checkpoint,
  type Cursors,
  type Ends,
  type EventLog,
  type LoggedEvent,
  type LogWriter,
  MAX_BATCH_BYTES,
  type NewEvent,
  type ReadOptions,
  type Topics,
} from '../types.ts';

/** A log for unit tests: passes the contract suite, forgets everything with the process. */
export function openMemoryLog(topics: Topics): EventLog {
  return new MemoryLog(topics);
}

interface WriterState {
  generation: number;
  checkpoint: Checkpoint | undefined;
  sequences: Map<string, number>;
}

class MemoryLog implements EventLog {
  readonly #identity = randomUUID();
  readonly #topics: Topics;
  readonly #partitions = new Map<string, LoggedEvent[][]>();
  readonly #writers = new Map<string, WriterState>();
  readonly #doorbell = new Doorbell();

  constructor(topics: Topics) {
    this.#topics = topics;
    for (const [name, { partitions = 1 }] of Object.entries(topics)) {
      this.#partitions.set(
        name,
        Array.from({ length: partitions }, () => []),
      );
    }
  }

  async identity(): Promise<string> {
    return this.#identity;
  }

  async writer(id: string): Promise<LogWriter> {
    const state = this.#writers.get(id) ?? { generation: 0, checkpoint: undefined, sequences: new Map() };
    this.#writers.set(id, state);
    const generation = ++state.generation;
    let failure: { error: unknown } | undefined;
    return {
      id,
      generation,
      get checkpoint() {
        return state.checkpoint;
      },
      append: async (events, resume) => {
        if (failure) throw failure.error;
        try {
          if (state.generation !== generation)
            throw logFault('BNY-LOG-FENCED', { found: `generation ${generation} of ${id}` });
          const ends = this.#append(events, state.sequences, state.checkpoint?.ends ?? {});
          const number = (state.checkpoint?.number ?? 0) + 1;
          state.checkpoint = { number, generation, state: structuredClone(resume), ends };
          this.#doorbell.ring();
          return state.checkpoint;
        } catch (error) {
          failure = { error };
          throw error;
        }
      },
      async close() {},
    };
  }

  async post(events: readonly NewEvent[]): Promise<void> {
    this.#append(events, new Map(), {});
    this.#doorbell.ring();
  }

  async *read(from: Cursors, { limit = 1000, signal, ...options }: ReadOptions = {}): AsyncIterable<LoggedEvent[]> {
    const follow = (options.follow ?? true) && !options.until;
    const cursors = Object.entries(from).flatMap(([topic, partitions]) =>
      partitions.map((cursor, partition) => {
        const events = this.#partition(topic, partition);
        const end = options.until?.[topic]?.[partition] ?? events.at(-1)?.offset ?? -1;
        return { events, topic, until: follow ? Number.POSITIVE_INFINITY : end, ...cursor };
      }),
    );
    for (const { events, topic, offset, id } of cursors) {
      if (id === '' || this.#topics[topic]?.compacted) continue;
      const found = events.find((event) => event.offset === offset)?.id;
      if (found !== id) throw logFault('BNY-LOG-ANOTHER', { found: `${found} at ${topic} ${offset}`, needed: id });
    }
    const topics = [...Map.groupBy(cursors, ({ topic }) => topic).values()];
    while (!signal?.aborted) {
      const batch: LoggedEvent[] = [];
      let bytes = 0;
      for (const own of topics) {
        const waiting = own.flatMap((cursor) =>
          cursor.events
            .filter(({ offset }) => offset > cursor.offset && offset <= cursor.until)
            .map((event) => ({ event, cursor })),
        );
        // Over several partitions in the order of their writer.
        if (own.length > 1) waiting.sort((a, b) => a.event.sequence - b.event.sequence);
        for (const { event, cursor } of waiting) {
          if (batch.length === limit || bytes >= MAX_BATCH_BYTES) break;
          batch.push(event);
          bytes += event.data.length;
          cursor.offset = event.offset;
        }
      }
      if (batch.length === 0 && !follow) return;
      yield batch;
      if (batch.length === 0) await this.#doorbell.wait(1000, signal);
    }
  }

  async ends(topics: readonly string[]): Promise<Ends> {
    return Object.fromEntries(
      topics.map((topic) => {
        const partitions = this.#partitions.get(topic);
        if (!partitions) throw unknownTopic(topic);
        return [topic, partitions.map((events) => events.at(-1)?.offset ?? -1)];
      }),
    );
  }

  async checkpoint(writer: string): Promise<Checkpoint | undefined> {
    return this.#writers.get(writer)?.checkpoint;
  }

  async close(): Promise<void> {}

  #partition(topic: string, partition: number): LoggedEvent[] {
    const events = this.#partitions.get(topic)?.[partition];
    if (!events) throw unknownTopic(topic);
    return events;
  }

  #append(events: readonly NewEvent[], sequences: Map<string, number>, ends: Ends): Ends {
    checkAppend(events);
    const places = events.map((event) => placeOf(event, this.#topics));
    const after = structuredClone(ends);
    events.forEach((event, i) => {
      const partition = places[i] ?? 0;
      const stored = this.#partition(event.topic, partition);
      const offset = (stored.at(-1)?.offset ?? -1) + 1;
      const sequence = sequences.get(event.topic) ?? 0;
      sequences.set(event.topic, sequence + 1);
      if (this.#topics[event.topic]?.compacted) {
        const old = stored.findIndex((other) => other.key === event.key);
        if (old >= 0) stored.splice(old, 1);
      }
      stored.push({ ...event, partition, offset, sequence });
      after[event.topic] ??= Array.from({ length: this.#topics[event.topic]?.partitions ?? 1 }, () => -1);
      (after[event.topic] as number[])[partition] = offset;
    });
    return after;
  }
}
