import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import {
  BanyanError,
  type ControlFold,
  controlEvent,
  type Ends,
  type EventLog,
  followControl,
  latestEvent,
  readControlState,
} from '../../../log/index.ts';
import type { Processor } from '../processor.ts';
import { type Beat, Members } from './members.ts';
import { PartitionWorker } from './partition.ts';
import { nameOf, type Place } from './progress.ts';

export interface ProcessorOptions {
  log: EventLog;
  processor: Processor;
  /** Names this instance; no other has ever had the name. */
  instance: string;
  /** Where handlers write. */
  router: string;
  logger: Logger;
  /** How long an attempt under way may go on when its instance is ended, or its partition goes to another one. */
  graceMs?: number;
}

const BEAT_MS = 1000;
const RETRY_MS = 500;
const GRACE_MS = 5000;

/**
 * One instance of a processor. All of them share the partitions by their signs of life in the log: each takes every n-th,
 * lets go of what is another's, and takes what nobody living holds.
 */
export async function runProcessor(options: ProcessorOptions, signal: AbortSignal): Promise<void> {
  const places = await begin(options);
  const group = new Group(options, places);
  const beating = setInterval(() => void group.beat(true), BEAT_MS);
  try {
    while (!signal.aborted) {
      try {
        for await (const fold of followControl(options.log, signal)) group.see(fold);
      } catch (error) {
        if (!(BanyanError.is(error) && error.retryable)) throw error;
        options.logger.warn({ error }, 'the log cannot be read at present');
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  } finally {
    clearInterval(beating);
    await group.end();
  }
}

/** Writes down where the processor begins, once in its life; a topic that it reads only now begins now. */
async function begin({ log, processor, instance }: ProcessorOptions): Promise<Place[]> {
  const { name, topics, from } = processor;
  const ends = await log.ends([...topics.keys()]);
  const { begun } = (await readControlState(log)).processor(name);
  const missing = Object.keys(ends).filter((topic) => !begun[topic]);
  if (missing.length > 0) {
    const start = (topic: string) => (ends[topic] ?? []).map((end) => (from === 'now' ? end : -1));
    const data: Ends = Object.fromEntries(missing.map((topic) => [topic, start(topic)]));
    await log.post([controlEvent('ProcessorBegun', { processor: name, ends: data }, instance)]);
  }
  return Object.entries(ends).flatMap(([topic, offsets]) => offsets.map((_, partition) => ({ topic, partition })));
}

class Group {
  readonly #options: ProcessorOptions;
  readonly #places: readonly Place[];
  readonly #members: Members;
  readonly #graceMs: number;
  readonly #workers = new Map<string, PartitionWorker>();
  #fold: ControlFold | undefined;
  #number = 0;
  #ending = false;
  #sharing: Promise<void> | undefined;

  constructor(options: ProcessorOptions, places: readonly Place[]) {
    this.#options = options;
    this.#places = places;
    this.#graceMs = options.graceMs ?? GRACE_MS;
    this.#members = new Members(options.processor.name, options.instance);
  }

  see(fold: ControlFold): void {
    const isFirst = this.#fold === undefined;
    this.#fold = fold;
    this.#members.see(fold.latest.values());
    if (isFirst) void this.beat(true);
    for (const worker of this.#workers.values()) worker.look();
    this.#sharing ??= this.#share().finally(() => {
      this.#sharing = undefined;
    });
  }

  /** Not before it is known who else is there. A beat that fails is missed by the others, and comes again. */
  async beat(regular: boolean, state: Beat['state'] = 'live'): Promise<void> {
    if (!this.#fold) return;
    if (regular) this.#number++;
    const { log, processor, instance, logger } = this.#options;
    const [problem] = [...this.#workers.values()].map((worker) => worker.problem).filter((each) => each !== undefined);
    const beat: Beat = {
      processor: processor.name,
      instance,
      number: this.#number,
      holds: [...this.#workers.keys()],
      state,
      error: problem === undefined ? null : described(problem),
    };
    await log
      .post([latestEvent('ProcessorBeat', this.#members.slot(), beat, instance)])
      .catch((error: unknown) => logger.warn({ error }, 'no beat'));
  }

  /** Does not wait for ever for a log that is away: what is left unsaid, the others find out by its silence. */
  async end(): Promise<void> {
    this.#ending = true;
    await Promise.race([this.#letGo(), sleep(2 * this.#graceMs, undefined, { ref: false })]);
  }

  async #letGo(): Promise<void> {
    await this.#sharing;
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop(this.#graceMs)));
    this.#workers.clear();
    await this.beat(true, 'stopped');
  }

  /** Brings what it works on in line with its share. */
  async #share(): Promise<void> {
    if (this.#ending || !this.#members.isKnown) return;
    const share = this.#members.share(this.#places);
    const names = new Set(share.map(nameOf));
    const others = [...this.#workers].filter(([name]) => !names.has(name));
    const free = share.filter((place) => !this.#workers.has(nameOf(place)) && !this.#members.isHeld(place));
    for (const place of free) this.#start(place);
    await Promise.all(others.map(([, worker]) => worker.stop(this.#graceMs)));
    for (const [name] of others) this.#workers.delete(name);
    if (free.length + others.length > 0) await this.beat(false);
  }

  #start(place: Place): void {
    const { log, processor, router, logger } = this.#options;
    const control = () => (this.#fold as ControlFold).processor(processor.name);
    const worker = new PartitionWorker({ log, processor, place, router, control, logger });
    const name = nameOf(place);
    this.#workers.set(name, worker);
    void worker.ended.then(() => this.#workers.get(name) === worker && this.#workers.delete(name));
  }
}

function described(problem: unknown): NonNullable<Beat['error']> {
  const fault = BanyanError.is(problem) ? problem : undefined;
  return { code: fault?.code ?? 'unknown', message: String(problem), cure: fault?.cure ?? '' };
}
