import { cdcFault, OTHER_SOURCE } from '../errors.ts';
import type { ResumePoint } from '../types.ts';
import type { Place } from './record.ts';
import type { Structures } from './tables.ts';

/** A transaction that parts of are delivered. */
export interface Unfinished {
  gtid: string;
  /** Seconds since 1970. */
  at: number;
  parts: number;
  /** Changes in a part, for all parts of it. */
  limit: number;
  /** Of the newest change: see `Group`. */
  counted: Counted;
}

export interface Counted {
  changes: number;
  order: number;
  /** Whether a connector went on in its middle, and counted anew. */
  restarted: boolean;
  place: Place | null;
}

/** The resume record, as JSON in the emitter's checkpoint. */
export interface Resume {
  version: 1;
  /** Tells the topic from another one of its name. */
  topic: string;
  /** Where to fetch from. */
  offset: number;
  /** The newest transaction that is delivered as a whole. */
  gtid: string;
  /** What it looked like: its end's time and its last row's place. Empty before the first one. */
  fingerprint: string;
  unfinished: Unfinished | null;
  structures: Structures;
}

export function resumePointOf(resume: Resume): ResumePoint {
  return resume as unknown as ResumePoint;
}

export function resumeOf(point: ResumePoint): Resume {
  if (point['version'] !== 1 || typeof point['topic'] !== 'string') {
    throw cdcFault('BNY-CDC-CHECKPOINT', {
      found: `resume point of version ${String(point['version'])}, ${'topic' in point ? 'of a topic' : 'of another source'}`,
      needed: 'version 1 of the Debezium source',
      ...(!('topic' in point) && { cure: OTHER_SOURCE }),
    });
  }
  return point as unknown as Resume;
}
