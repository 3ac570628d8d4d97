import { MAX_APPEND_BYTES, type NewEvent, parkingTopic } from '../../log/index.ts';
import type { Change, Position, Transaction } from '../types.ts';
import { type CapturedDomain, changeId, type DomainEvent, isUnchanged, seedId } from './capture.ts';
import type { DomainPosition, EmitterState } from './state.ts';

/** Where and when a change was committed: what an event's id and attributes are made of. */
export interface Origin {
  gtid: string;
  part: number;
  position: Position;
  committedAt: string;
}

/** A change in a parking lot: enough to make the very events later that it would have made at once. */
export interface ParkedChange {
  origin: Origin;
  change: Change;
  nth: number;
}

export interface Translation {
  /** In the order of the changes. */
  events: NewEvent[];
  /** Domains that this part could not be captured for; their changes are among `events`, bound for the parking lot. */
  failures: { domain: string; cause: string }[];
}

/** How the emitter stands to the domains at a place in the stream. */
export interface Standing {
  parked: Readonly<Record<string, unknown>>;
  domains: Readonly<Record<string, Pick<DomainPosition, 'owner' | 'epoch'>>>;
}

type Place = Pick<EmitterState, 'position' | 'domains'>;

/** Told of each change whether its capture made events of it. */
export type Observer = (domain: string, change: Change, emitted: boolean) => void;

/** Turns changes into events by the domains' captures. Holds no state: the same part gives the same events. */
export class Translator {
  readonly domains: ReadonlyMap<string, CapturedDomain>;
  readonly #byTable = new Map<string, CapturedDomain>();

  constructor(domains: readonly CapturedDomain[]) {
    this.domains = new Map(domains.map((domain) => [domain.name, domain]));
    for (const domain of domains) for (const table of Object.keys(domain.tables)) this.#byTable.set(table, domain);
  }

  domainOf(table: string): CapturedDomain | undefined {
    return this.#byTable.get(table);
  }

  /**
   * One part of a transaction. A domain whose capture throws is parked from the part's first change on; of one that its
   * service owns no change is captured.
   */
  part(transaction: Transaction, { parked, domains }: Standing, observe?: Observer): Translation {
    const failures: Translation['failures'] = [];
    const aside = new Set(Object.keys(parked));
    for (;;) {
      const events: NewEvent[] = [];
      const counts: number[] = [];
      const failure = this.#attempt(transaction, aside, domains, events, counts);
      if (!failure) {
        if (observe) this.#observe(transaction, counts, observe);
        return { events, failures };
      }
      failures.push(failure);
      aside.add(failure.domain);
    }
  }

  /** Fills `events`, and `counts` with how many of them stand there after each change. */
  #attempt(
    tx: Transaction,
    parked: ReadonlySet<string>,
    domains: Standing['domains'],
    events: NewEvent[],
    counts: number[],
  ): Translation['failures'][number] | undefined {
    const nths = new Map<string, number>();
    for (const change of tx.changes) {
      const domain = this.#byTable.get(change.table);
      const position = domain && domains[domain.name];
      if (domain && position?.owner !== 'service') {
        const nth = tx.changes.length === 1 ? 0 : countNext(nths, change);
        try {
          if (parked.has(domain.name)) events.push(parkedEvent(domain.name, { origin: originOf(tx), change, nth }));
          else if (!isUnchanged(change)) this.#capture(domain, change, nth, tx, position?.epoch, events);
        } catch (error) {
          return { domain: domain.name, cause: describe(error, change) };
        }
      }
      counts.push(events.length);
    }
    return undefined;
  }

  #observe(tx: Transaction, counts: readonly number[], observe: Observer): void {
    tx.changes.forEach((change, i) => {
      const domain = this.#byTable.get(change.table);
      if (domain) observe(domain.name, change, counts[i] !== (counts[i - 1] ?? 0));
    });
  }

  /** A change from the parking lot, through the capture as it is now. @throws what the capture throws */
  parkedChange({ origin, change, nth }: ParkedChange, domains: Standing['domains']): NewEvent[] {
    const domain = this.#byTable.get(change.table);
    if (!domain || isUnchanged(change)) return [];
    const events: NewEvent[] = [];
    this.#capture(domain, change, nth, origin, domains[domain.name]?.epoch, events);
    return events;
  }

  /** A row read by the ETL. @throws what the capture throws */
  seed(change: Change, run: string, { position, domains }: Place, time: string): NewEvent[] {
    const domain = this.#byTable.get(change.table);
    if (!domain) return [];
    const events = list(domain.capture[change.table]?.(change)).map((event, n) => {
      const id = seedId(run, change.table, change.key, n);
      const made = toEvent(domain, event, id, { committedAt: time, position }, domains[domain.name]?.epoch);
      made.seed = run;
      return made;
    });
    checkSize(events);
    return events;
  }

  #capture(
    domain: CapturedDomain,
    change: Change,
    nth: number,
    origin: Origin,
    epoch: number | undefined,
    events: NewEvent[],
  ): void {
    const made = list(domain.capture[change.table]?.(change));
    const first = events.length;
    for (let n = 0; n < made.length; n++) {
      const id = changeId(origin.gtid, origin.part, change.table, change.key, nth, n);
      events.push(toEvent(domain, made[n] as DomainEvent, id, origin, epoch));
    }
    if (made.length > 1) checkSize(events.slice(first));
  }
}

function countNext(nths: Map<string, number>, change: Change): number {
  const key = `${change.table}/${JSON.stringify(change.key)}`;
  const nth = nths.get(key) ?? 0;
  nths.set(key, nth + 1);
  return nth;
}

function list(made: DomainEvent | readonly DomainEvent[] | undefined): readonly DomainEvent[] {
  if (made === undefined) return [];
  return Array.isArray(made) ? made : [made as DomainEvent];
}

function toEvent(
  domain: CapturedDomain,
  event: DomainEvent,
  id: string,
  { committedAt, position }: Pick<Origin, 'committedAt' | 'position'>,
  epoch = 0,
): NewEvent {
  const { version, data } = domain.encode(event);
  const made: NewEvent = {
    topic: domain.name,
    key: String(event.key),
    id,
    type: event.type,
    version,
    time: committedAt,
    data,
    origin: 'monolith',
    epoch,
    position,
  };
  checkSize([made]);
  return made;
}

/** What one change makes goes into one append, with room for the records that may go with it. */
const MAX_CHANGE_BYTES = MAX_APPEND_BYTES - 10_000;

function checkSize(events: readonly NewEvent[]): void {
  const bytes = events.reduce((sum, event) => sum + event.data.length, 0);
  if (bytes > MAX_CHANGE_BYTES || events.length > 100) {
    throw new RangeError(`one change makes ${events.length} events of ${bytes} bytes: more than the log takes at once`);
  }
}

function originOf({ gtid, part, position, committedAt }: Transaction): Origin {
  return { gtid, part, position, committedAt };
}

function parkedEvent(domain: string, parked: ParkedChange): NewEvent {
  const { origin, change, nth } = parked;
  const full = JSON.stringify(parked);
  // Too large even for the lot: kept by key alone, so that the lot shows what is missing.
  const data =
    full.length <= MAX_APPEND_BYTES ? full : JSON.stringify({ origin, nth, key: change.key, table: change.table });
  return {
    topic: parkingTopic(domain),
    key: change.table,
    id: changeId(origin.gtid, origin.part, change.table, change.key, nth, -1),
    type: full.length <= MAX_APPEND_BYTES ? 'ChangeParked' : 'ChangeTooLarge',
    version: 1,
    time: origin.committedAt,
    data,
    origin: 'monolith',
    epoch: 0,
    position: origin.position,
  };
}

/** Names the row, never its values: a message ends in logs and on screens. */
function describe(error: unknown, change: Change): string {
  const message = error instanceof Error ? error.message : String(error);
  return `${change.kind} of ${change.table} ${JSON.stringify(change.key)}: ${message.slice(0, 500)}`;
}
