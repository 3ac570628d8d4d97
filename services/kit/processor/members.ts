import type { LatestData, LatestRecord } from '../../../log/index.ts';
import { nameOf, type Place } from './progress.ts';

export type Beat = LatestData<'ProcessorBeat'>;

/** Of beats of our own that came back from the log while another instance was silent. */
const MISSED = 4;

interface Seen {
  beat: Beat;
  /** How many beats of this instance have come here one after the other. */
  beats: number;
  /** Our own beats that stand in the log behind its newest. */
  missed: number;
}

/**
 * The instances of a processor as the log tells of them. Time is counted in beats of our own that have come back through
 * the log, so that no clock is compared with another, and who was paused himself takes nobody else for dead.
 */
export class Members {
  readonly #processor: string;
  readonly #instance: string;
  readonly #slots = new Map<string, Seen>();

  constructor(processor: string, instance: string) {
    this.#processor = processor;
    this.#instance = instance;
  }

  see(latest: Iterable<LatestRecord>): void {
    let ownBeats = 0;
    for (const { type, data, key } of latest) {
      if (type !== 'ProcessorBeat' || data.processor !== this.#processor) continue;
      const before = this.#slots.get(key);
      const isNew = before?.beat.instance !== data.instance || before.beat.number !== data.number;
      if (isNew && data.instance === this.#instance) ownBeats = 1;
      const beats = before?.beat.instance === data.instance ? before.beats + Number(isNew) : 1;
      this.#slots.set(key, { beat: data, beats, missed: isNew ? 0 : before.missed });
    }
    for (const seen of this.#slots.values()) seen.missed += ownBeats;
  }

  /** Where this instance gives its beats: its own place, else the first that is free. So their number stays bounded. */
  slot(): string {
    const keyOf = (n: number) => `processor:${this.#processor}:${n}`;
    const isMine = (key: string) => this.#slots.get(key)?.beat.instance === this.#instance;
    for (const key of this.#slots.keys()) if (isMine(key)) return key;
    let n = 0;
    while (isAlive(this.#slots.get(keyOf(n)))) n++;
    return keyOf(n);
  }

  /** Whether all others know of this instance: of two that begin in one place at once, one has left it by the second beat. */
  get isKnown(): boolean {
    return [...this.#slots.values()].some(({ beat, beats }) => beat.instance === this.#instance && beats > 1);
  }

  /** The partitions that this instance should work on: each member every n-th. */
  share(places: readonly Place[]): Place[] {
    const others = new Set(this.#others().map(({ instance }) => instance));
    const before = [...others].filter((name) => name < this.#instance).length;
    return places.filter((_, i) => i % (others.size + 1) === before);
  }

  /** Whether another living instance says that it works on this partition. */
  isHeld(place: Place): boolean {
    return this.#others().some(({ holds }) => holds.includes(nameOf(place)));
  }

  #others(): Beat[] {
    return [...this.#slots.values()]
      .filter((seen) => isAlive(seen) && seen.beat.instance !== this.#instance)
      .map(({ beat }) => beat);
  }
}

function isAlive(seen: Seen | undefined): boolean {
  return seen !== undefined && seen.beat.state === 'live' && seen.missed < MISSED;
}
