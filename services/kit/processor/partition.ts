import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import {
  BanyanError,
  type Cursors,
  type EventLog,
  isOwnType,
  type LoggedEvent,
  type LogWriter,
  type NewEvent,
  type ProcessorControl,
} from '../../../log/index.ts';
import { serviceFault } from '../errors.ts';
import type { Processor } from '../processor.ts';
import type { Occurrence } from '../projection.ts';
import { handle, type Outcome, type Stops } from './attempt.ts';
import {
  type DeadLetter,
  type DeadLetters,
  diedEvent,
  handledEvent,
  originalOf,
  readDeadLetters,
} from './dead-letters.ts';
import { firstProgress, nameOf, type PartitionProgress, type Place, readProgress, writerOf } from './progress.ts';

export interface PartitionOptions {
  log: EventLog;
  processor: Processor;
  place: Place;
  router: string;
  /** What the control topic says at present. */
  control(): ProcessorControl;
  logger: Logger;
}

/** Progress is written down so often at most. */
const PROGRESS_MS = 1000;
/** Without having proved in the log for this long that the partition is still its own, a worker begins no attempt. */
const PROOF_MS = 3000;
const RETRY_MS = 500;
const BATCH = 200;
/** Of a partition. With more, the fault is not in the events. */
const MAX_DEAD = 1000;

/**
 * Works on one partition: events one after the other, each with its retries. Progress and dead letters are appends of one
 * writer, so who has opened that writer last is the only one who gets on; an older worker is refused at its next append.
 */
export class PartitionWorker {
  readonly place: Place;
  /** Why it does not get on. */
  problem: unknown;
  readonly #options: PartitionOptions;
  readonly #stop = new AbortController();
  readonly #now = new AbortController();
  readonly #running: Promise<void>;
  #tenure: Tenure | undefined;

  constructor(options: PartitionOptions) {
    this.#options = options;
    this.place = options.place;
    this.#running = this.#run();
  }

  /** Ends when the partition has gone to another instance, or when it was stopped. Never rejects. */
  get ended(): Promise<void> {
    return this.#running;
  }

  /** Lets the attempt under way end, for so long, and writes the progress down. */
  async stop(graceMs: number): Promise<void> {
    this.#stop.abort();
    const late = setTimeout(() => this.#now.abort(), graceMs);
    await this.#running;
    clearTimeout(late);
  }

  /** Looks whether somebody has asked for a replay of dead letters. */
  look(): void {
    this.#tenure?.look();
  }

  async #run(): Promise<void> {
    const { logger, processor } = this.#options;
    const at = { processor: processor.name, partition: nameOf(this.place) };
    while (!this.#stop.signal.aborted) {
      try {
        this.#tenure = await Tenure.begin(
          this.#options,
          { stop: this.#stop.signal, now: this.#now.signal },
          (problem) => {
            this.problem = problem;
          },
        );
        this.problem = undefined;
        await this.#tenure.work();
      } catch (error) {
        if (BanyanError.is(error) && error.code === 'BNY-LOG-FENCED') {
          logger.info(at, 'another instance has taken over');
          return;
        }
        if (error === this.#stop.signal.reason) return;
        this.problem = error;
        logger.error({ ...at, error }, 'the processor does not get on');
        const passes = BanyanError.is(error) && error.retryable;
        await sleep(passes ? RETRY_MS : 20 * RETRY_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      } finally {
        this.#tenure = undefined;
      }
    }
  }
}

/** The time between opening the writer and losing it. What it does to the log it does in turn. */
class Tenure {
  readonly #options: PartitionOptions;
  readonly #stops: Stops;
  readonly #writer: LogWriter;
  readonly #letters: DeadLetters;
  readonly #told: (problem: unknown) => void;
  readonly #failed = new AbortController();
  #progress: PartitionProgress;
  #recorded: PartitionProgress | undefined;
  #recordedAt = Number.NEGATIVE_INFINITY;
  #turns = 0;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    options: PartitionOptions,
    stops: Stops,
    writer: LogWriter,
    letters: DeadLetters,
    told: (problem: unknown) => void,
  ) {
    this.#options = options;
    this.#stops = stops;
    this.#writer = writer;
    this.#letters = letters;
    this.#told = told;
    const { begun, replays } = options.control();
    this.#recorded = readProgress(writer.checkpoint?.state);
    this.#progress = this.#recorded ?? firstProgress(options.place, begun, replays.length);
  }

  static async begin(options: PartitionOptions, stops: Stops, told: (problem: unknown) => void): Promise<Tenure> {
    const { log, processor, place } = options;
    const writer = await log.writer(writerOf(processor.name, place), stops.stop);
    try {
      // After the writer was opened: nobody else adds to them from here on.
      const letters = await readDeadLetters(log, processor.name, place, stops.stop);
      const tenure = new Tenure(options, stops, writer, letters, told);
      await tenure.#append([]);
      return tenure;
    } catch (error) {
      await writer.close();
      throw error;
    }
  }

  /** Until it is stopped. @throws BNY-LOG-FENCED, and what keeps the processor from getting on */
  async work(): Promise<void> {
    const { log, place } = this.#options;
    const signal = AbortSignal.any([this.#stops.stop, this.#failed.signal]);
    const timer = setInterval(() => {
      if (this.#turns === 0) void this.#inTurn(() => this.#record());
    }, PROGRESS_MS);
    try {
      this.look();
      for await (const batch of log.read(await this.#cursors(), { signal, limit: BATCH })) {
        for (const event of batch) {
          if (event.partition !== place.partition) continue;
          await this.#room(signal);
          if (signal.aborted || !(await this.#inTurn(() => this.#take(event)))) break;
        }
        if (signal.aborted) break;
      }
      await this.#last;
      this.#failed.signal.throwIfAborted();
      await this.#record();
    } finally {
      clearInterval(timer);
      await this.#last;
      await this.#writer.close();
    }
  }

  look(): void {
    if (this.#options.control().replays.length > this.#progress.replays) void this.#inTurn(() => this.#replay());
  }

  /** Its own partition from its cursor on; of the others, which cannot be left out, only what is new: no order is asked between them. */
  async #cursors(): Promise<Cursors> {
    const { log, place } = this.#options;
    const ends = (await log.ends([place.topic]))[place.topic] ?? [];
    const { cursor } = this.#progress;
    return { [place.topic]: ends.map((end, i) => (i === place.partition ? cursor : { offset: end, id: '' })) };
  }

  /** One piece of work after the other; what fails ends the tenure. */
  #inTurn<T>(work: () => Promise<T>): Promise<T | undefined> {
    this.#turns++;
    const turn = this.#last
      .then(() => (this.#failed.signal.aborted ? undefined : work()))
      .catch((error: unknown) => {
        this.#failed.abort(error);
        return undefined;
      })
      .finally(() => this.#turns--);
    this.#last = turn;
    return turn;
  }

  /** False when the event was left where it was. */
  async #take(event: LoggedEvent): Promise<boolean> {
    const after = { ...this.#progress, cursor: { offset: event.offset, id: event.id } };
    const occurrence = this.#occurrenceOf(event);
    const outcome: Outcome = !occurrence
      ? { kind: 'handled' }
      : this.#letters.has(event.key)
        ? { kind: 'dead', error: serviceFault('BNY-SERVICE-BEHIND-DEAD'), attempts: 0 }
        : await this.#handle(occurrence);
    if (outcome.kind === 'handled') this.#progress = after;
    if (outcome.kind === 'dead') await this.#bury(event, outcome, after);
    return outcome.kind !== 'left';
  }

  /** Waits while too many dead letters lie open; a replay goes on meanwhile. */
  async #room(signal: AbortSignal): Promise<void> {
    const isFull = () => this.#letters.open.size >= MAX_DEAD;
    if (!isFull()) return;
    this.#told(serviceFault('BNY-SERVICE-DEAD-FULL', { found: `${this.#letters.open.size} dead letters` }));
    while (isFull() && !signal.aborted) await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    this.#told(undefined);
  }

  /** Undefined for what does not concern the processor. @throws BNY-SERVICE-UNKNOWN-EVENT */
  #occurrenceOf(event: LoggedEvent): Occurrence<never> | undefined {
    const { topics, handlers, seeds } = this.#options.processor;
    if (isOwnType(event.type) || (event.seed !== undefined && seeds === 'ignore')) return undefined;
    const events = topics.get(event.topic);
    if (!events || (events.types.includes(event.type) && !handlers[event.type])) return undefined;
    return { ...event, data: events.decode(event) as never };
  }

  #handle(occurrence: Occurrence<never>): Promise<Outcome> {
    const { processor, router } = this.#options;
    return handle(processor, occurrence, router, this.#stops, async () => {
      if (performance.now() - this.#recordedAt > PROOF_MS || this.#isDue()) await this.#append([]);
    });
  }

  async #bury(event: LoggedEvent, { error, attempts }: Dead, progress: PartitionProgress): Promise<void> {
    const { processor, logger } = this.#options;
    const letter = diedEvent(processor.name, event, error, attempts);
    this.#letters.apply({ ...letter, offset: -1 });
    this.#progress = { ...progress, dead: this.#letters.open.size };
    await this.#append([letter]);
    const { type, id } = event;
    logger.warn({ processor: processor.name, type, event: id, attempts }, 'an event has become a dead letter');
  }

  /** Carries out the next requests for a replay of dead letters: each aggregate's in their order. */
  async #replay(): Promise<void> {
    for (;;) {
      const wanted = this.#options.control().replays[this.#progress.replays];
      if (!wanted) return;
      const stuck = new Set<string>();
      const ids = new Set(wanted);
      for (const letter of [...this.#letters.open.values()]) {
        if (stuck.has(letter.event.key)) continue;
        if (!ids.has(letter.event.id) || (await this.#revive(letter.event)) === 'dead') stuck.add(letter.event.key);
        if (this.#stops.stop.aborted) return;
      }
      this.#progress = { ...this.#progress, replays: this.#progress.replays + 1 };
      await this.#append([]);
    }
  }

  async #revive(place: DeadLetter['event']): Promise<Outcome['kind']> {
    const { log, processor } = this.#options;
    const event = await originalOf(log, place);
    const occurrence = this.#occurrenceOf(event);
    const outcome = occurrence ? await this.#handle(occurrence) : { kind: 'handled' as const };
    if (outcome.kind === 'dead') await this.#bury(event, outcome, this.#progress);
    if (outcome.kind === 'handled') {
      const record = handledEvent(processor.name, place);
      this.#letters.apply({ ...record, offset: -1 });
      this.#progress = { ...this.#progress, dead: this.#letters.open.size };
      await this.#append([record]);
    }
    return outcome.kind;
  }

  #isDue(): boolean {
    return this.#progress !== this.#recorded && performance.now() - this.#recordedAt > PROGRESS_MS;
  }

  async #record(): Promise<void> {
    if (this.#progress !== this.#recorded) await this.#append([]);
  }

  async #append(events: NewEvent[]): Promise<void> {
    const progress = this.#progress;
    await this.#writer.append(events, progress);
    this.#recorded = progress;
    this.#recordedAt = performance.now();
  }
}

type Dead = Extract<Outcome, { kind: 'dead' }>;
