import { setImmediate } from 'node:timers/promises';
import { EMITTER, type EmitterState } from '../../../cdc/index.ts';
import {
  type Checkpoint,
  type Cursors,
  covers,
  type Ends,
  type EventLog,
  type LoggedEvent,
} from '../../../log/index.ts';
import { EventApplier, type Projection } from '../projection.ts';
import { Fold } from '../store/fold.ts';
import type { Applied, Store } from '../store/types.ts';

export interface ProjectorOptions {
  log: EventLog;
  projection: Projection;
  store: Store;
  /** Stop at these offsets instead of following the log. */
  until?: Ends;
  /** Told after each batch. */
  onProgress?: (progress: Progress) => void;
}

export interface Progress {
  applied: Applied;
  /** Events applied in this run. */
  events: number;
}

/** Events applied in one transaction of the store at most. */
const BATCH = 5000;

/** Keeps one store up with the log: reads, folds per key, writes rows and cursors in one transaction. */
export class Projector {
  readonly #options: ProjectorOptions;
  #cursors: Cursors = {};
  #applied: Applied = { position: '', freshAt: 0 };
  #events = 0;

  constructor(options: ProjectorOptions) {
    this.#options = options;
  }

  /** Runs until `signal` aborts, or to `until`. @throws what stops a projector: see the kit's errors */
  async run(signal: AbortSignal): Promise<void> {
    const { log, store, until } = this.#options;
    this.#cursors = await store.cursors();
    this.#applied = await store.applied();
    // A checkpoint counts as applied once the cursors have passed its ends. The one taken before a batch was read is
    // passed with that batch, also while more and more is appended; the one taken after it is usually newer.
    let target = await this.#newestCheckpoint();
    for await (const batch of log.read(this.#cursors, { signal, limit: BATCH, ...(until && { until }) })) {
      if (batch.length > 0) await this.#apply(batch);
      const newest = await this.#newestCheckpoint();
      if (await this.#passed(newest)) target = undefined;
      else if (await this.#passed(target)) target = newest;
      target ??= newest;
      this.#options.onProgress?.({ applied: this.#applied, events: this.#events });
      // A store in a file answers at once: without this nothing else in the thread would get a turn before all is caught up.
      await setImmediate();
    }
  }

  async #apply(batch: LoggedEvent[]): Promise<void> {
    const fold = new Fold();
    const applier = new EventApplier(this.#options.projection, fold);
    const after: Cursors = structuredClone(this.#cursors);
    for (const event of batch) {
      const { topic, partition, offset, id } = event;
      applier.apply(event);
      (after[topic] as Cursors[string])[partition] = { offset, id };
    }
    await this.#options.store.commit(fold, this.#cursors, after);
    this.#cursors = after;
    this.#events += batch.length;
  }

  /** Notes the checkpoint's position as applied if every event it covers has been. */
  async #passed(checkpoint: Checkpoint | undefined): Promise<boolean> {
    if (!checkpoint || !covers(this.#cursors, checkpoint.ends)) return false;
    const { position, freshAt, parked } = checkpoint.state as EmitterState;
    // What is parked has passed the position without coming here: the store is as old as the parking.
    if (this.#options.projection.topics.some((topic) => topic in parked)) return true;
    if (position !== this.#applied.position || freshAt !== this.#applied.freshAt) {
      this.#applied = { position, freshAt };
      await this.#options.store.setApplied(this.#applied);
    }
    return true;
  }

  async #newestCheckpoint(): Promise<Checkpoint | undefined> {
    return this.#options.log.checkpoint(EMITTER);
  }
}
