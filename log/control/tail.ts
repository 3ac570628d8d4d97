import type { Cursors, EventLog, LoggedEvent } from '../types.ts';
import { START } from '../types.ts';
import { CONTROL_TOPIC, LATEST_TOPIC, readControl, readLatest } from './records.ts';
import { ControlFold } from './state.ts';

/** Reads control and latest as they stand, once. */
export async function readControlState(log: EventLog): Promise<ControlFold> {
  const fold = new ControlFold();
  for await (const batch of log.read(controlStart(), { follow: false })) foldInto(fold, batch);
  return fold;
}

/**
 * Follows control and latest until `signal` aborts. Yields the same fold again after each batch, the first time when
 * everything that stood in the log has been folded.
 */
export async function* followControl(log: EventLog, signal: AbortSignal): AsyncIterable<ControlFold> {
  const fold = new ControlFold();
  const cursors = controlStart();
  for await (const batch of log.read(cursors, { follow: false, signal })) {
    foldInto(fold, batch);
    for (const event of batch) cursors[event.topic] = [{ offset: event.offset, id: event.id }];
  }
  if (signal.aborted) return;
  yield fold;
  for await (const batch of log.read(cursors, { signal })) {
    foldInto(fold, batch);
    if (batch.length > 0) yield fold;
  }
}

function controlStart(): Cursors {
  return { [CONTROL_TOPIC]: [START], [LATEST_TOPIC]: [START] };
}

function foldInto(fold: ControlFold, batch: LoggedEvent[]): void {
  for (const event of batch) {
    if (event.topic === CONTROL_TOPIC) fold.apply(readControl(event));
    else fold.latest.set(event.key, readLatest(event));
  }
}
