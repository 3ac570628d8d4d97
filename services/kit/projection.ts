import { BanyanError, isOwnType, type LoggedEvent, RESET_TYPE } from '../../log/index.ts';
import { serviceFault } from './errors.ts';
import type { EventData, EventRegistry } from './events.ts';
import { type RowOf, Table, type TableDefinition } from './table.ts';

export type Tables = Readonly<Record<string, TableDefinition>>;

/** What a handler may do: set a row, or remove one. There is no way to read or to add, so order cannot leak in. */
export interface TableWriter<T extends TableDefinition> {
  /** Sets the whole row. */
  put(row: RowOf<T>): void;
  /** Removes the row with this key; the key's columns in the key's order. */
  delete(...key: (string | number)[]): void;
}

export type Database<T extends Tables> = { readonly [Name in keyof T]: TableWriter<T[Name]> };

/** The attributes of an event beside its data. */
export type Occurrence<Data> = Omit<LoggedEvent, 'data'> & { data: Data };

type Handlers<E extends EventRegistry, T extends Tables> = {
  [Type in keyof E['definitions'] & string]: (event: Occurrence<EventData<E, Type>>, db: Database<T>) => void;
};

type AnyHandlers = Readonly<Record<string, (event: Occurrence<never>, db: never) => void>>;

/** A topic that a projection reads, and what each of its events does. */
export interface Subscription {
  events: EventRegistry;
  handlers: AnyHandlers;
}

export interface Projection {
  tables: ReadonlyMap<string, Table>;
  subscriptions: ReadonlyMap<string, Subscription>;
  /** Topics, in a fixed order. */
  topics: string[];
}

/** Says that a projection has no use for an event. */
export const ignore = (): void => undefined;

/**
 * A store's tables and how events fill them. Each table names the one topic that feeds it (`from`): events of
 * different topics have no order between them, so a row that two of them could write would depend on chance.
 */
export function defineProjection<const T extends Tables>(
  tables: T,
  subscribe: (
    on: <E extends EventRegistry>(events: E, handlers: Handlers<E, T>) => Subscription,
  ) => readonly Subscription[],
): Projection {
  const made = new Map(Object.entries(tables).map(([name, definition]) => [name, new Table(name, definition)]));
  const subscriptions = new Map<string, Subscription>();
  for (const subscription of subscribe((events, handlers) => ({
    events,
    handlers: handlers as unknown as AnyHandlers,
  }))) {
    const { domain, types } = subscription.events;
    if (subscriptions.has(domain)) throw misfit(`${domain} is subscribed to twice`);
    const missing = types.filter((type) => !subscription.handlers[type]);
    if (missing.length > 0) throw misfit(`no handler for ${missing.join(', ')} of ${domain}: handle or \`ignore\` it`);
    subscriptions.set(domain, subscription);
  }
  for (const table of made.values()) {
    if (!subscriptions.has(table.from))
      throw misfit(`table ${table.name} is fed by ${table.from}, which is not subscribed to`);
  }
  return { tables: made, subscriptions, topics: [...subscriptions.keys()].sort((a, b) => (a < b ? -1 : 1)) };
}

function misfit(found: string) {
  return serviceFault('BNY-SERVICE-DOMAIN', { found: `projection: ${found}` });
}

/** Where folded changes go. */
export interface Changes {
  put(table: Table, row: Record<string, unknown>): void;
  delete(table: Table, key: readonly (string | number)[]): void;
  /** Removes every row of the table. */
  clear(table: Table): void;
}

/** Applies events to `changes`. @throws BNY-SERVICE-UNKNOWN-EVENT, BNY-SERVICE-PROJECTION */
export class EventApplier {
  readonly #projection: Projection;
  readonly #changes: Changes;
  readonly #databases: ReadonlyMap<string, Readonly<Record<string, unknown>>>;

  constructor(projection: Projection, changes: Changes) {
    this.#projection = projection;
    this.#changes = changes;
    this.#databases = new Map(projection.topics.map((topic) => [topic, this.#writersFor(topic)]));
  }

  apply(event: LoggedEvent): void {
    const subscription = this.#projection.subscriptions.get(event.topic);
    if (event.type === RESET_TYPE) this.#reset(event.topic);
    if (!subscription || isOwnType(event.type)) return;
    try {
      const data = subscription.events.decode(event);
      // The handler gets the logged event itself with its data parsed: no copy for each of a million events.
      const occurrence = event as unknown as Occurrence<never>;
      (occurrence as { data: unknown }).data = data;
      subscription.handlers[event.type]?.(occurrence, this.#databases.get(event.topic) as never);
    } catch (cause) {
      if (BanyanError.is(cause)) throw cause;
      const found = `${event.type} at ${event.topic} offset ${event.offset}: ${(cause as Error).message}`;
      throw serviceFault('BNY-SERVICE-PROJECTION', { found, cause });
    }
  }

  #reset(topic: string): void {
    for (const table of this.#projection.tables.values()) if (table.from === topic) this.#changes.clear(table);
  }

  #writersFor(topic: string): Readonly<Record<string, unknown>> {
    const changes = this.#changes;
    const writers = [...this.#projection.tables.values()].map((table) => {
      const check = () => {
        if (table.from !== topic) throw new Error(`table ${table.name} is fed by ${table.from}, not by ${topic}`);
      };
      const writer = {
        put(row: Record<string, unknown>) {
          check();
          changes.put(table, row);
        },
        delete(...key: (string | number)[]) {
          check();
          changes.delete(table, key);
        },
      };
      return [table.name, writer] as const;
    });
    return Object.fromEntries(writers);
  }
}
