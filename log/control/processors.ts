import type { Ends } from '../types.ts';
import type { ControlRecord } from './records.ts';

/** What the control topic says of one processor. */
export interface ProcessorControl {
  /** Behind these offsets it began. */
  begun: Ends;
  /** Each request to replay dead letters, in order: the ids of their events. */
  replays: string[][];
}

export type ProcessorRecord = Extract<ControlRecord, { type: 'ProcessorBegun' | 'DeadReplayRequested' }>;
export type DomainRecord = Exclude<ControlRecord, ProcessorRecord>;

export function isOfProcessor(record: ControlRecord): record is ProcessorRecord {
  return 'processor' in record.data;
}

/** Pure; of two instances that begin at once only the first counts. */
export function applyProcessor(processor: ProcessorControl, { type, data }: ProcessorRecord): ProcessorControl {
  if (type === 'ProcessorBegun') return { ...processor, begun: { ...data.ends, ...processor.begun } };
  return { ...processor, replays: [...processor.replays, data.events] };
}
