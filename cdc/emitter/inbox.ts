import {
  CONTROL_TOPIC,
  ControlFold,
  type Cursor,
  type DomainRecord,
  type EventLog,
  isOfProcessor,
  readControl,
  START,
} from '../../log/index.ts';

export interface Request {
  record: DomainRecord;
  cursor: Cursor;
}

/** Gathers the domains' control records behind `cursor` as they arrive; the emitter takes them between two batches. */
export class RequestInbox {
  readonly #pending: Request[] = [];
  readonly done: Promise<void>;

  constructor(log: EventLog, cursor: Cursor, signal: AbortSignal, onArrival: () => void) {
    this.done = this.#follow(log, cursor, signal, onArrival);
  }

  take(): Request[] {
    return this.#pending.splice(0);
  }

  async #follow(log: EventLog, cursor: Cursor, signal: AbortSignal, onArrival: () => void): Promise<void> {
    for await (const batch of log.read({ [CONTROL_TOPIC]: [cursor] }, { signal })) {
      for (const event of batch) {
        const record = readControl(event);
        if (!isOfProcessor(record)) this.#pending.push({ record, cursor: { offset: event.offset, id: event.id } });
      }
      if (batch.length > 0) onArrival();
    }
  }
}

/** The control state that the records up to `cursor` come to: what the emitter has acted upon so far. */
export async function controlUpTo(log: EventLog, cursor: Cursor): Promise<ControlFold> {
  const fold = new ControlFold();
  for await (const batch of log.read({ [CONTROL_TOPIC]: [START] }, { until: { [CONTROL_TOPIC]: [cursor.offset] } })) {
    for (const event of batch) fold.apply(readControl(event));
  }
  return fold;
}
