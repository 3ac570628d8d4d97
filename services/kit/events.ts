import { z } from 'zod';
import type { DomainEvent } from '../../cdc/index.ts';
import type { LoggedEvent } from '../../log/index.ts';
import { serviceFault } from './errors.ts';

type Data = Record<string, unknown>;

/** An event type that has changed since its first version. */
export interface VersionedEvent<S extends z.ZodObject = z.ZodObject> {
  schema: S;
  /** The current version; the schema is its. */
  version: number;
  /** From each older version to the next: `{ 1: (data) => data of version 2 }`. Pure. */
  upcast: Readonly<Record<number, (data: Data) => Data>>;
}

type Definition = z.ZodObject | VersionedEvent;
export type Definitions = Readonly<Record<string, Definition>>;
type SchemaOf<D extends Definition> = D extends VersionedEvent<infer S> ? S : D;

/** The data of an event: `EventData<typeof events, 'OrderPlaced'>`. */
export type EventData<E extends EventRegistry, T extends keyof E['definitions']> = z.infer<
  SchemaOf<E['definitions'][T]>
>;

/** Any event of a domain, as its capture returns it. */
export type EventOf<E extends EventRegistry> = {
  [T in keyof E['definitions'] & string]: { type: T; key: string | number; data: EventData<E, T> };
}[keyof E['definitions'] & string];

/** A domain's event types with their schemas. Other domains subscribe by it. */
export class EventRegistry<D extends Definitions = Definitions> {
  readonly domain: string;
  readonly definitions: D;
  readonly #versions: ReadonlyMap<string, VersionedEvent>;

  constructor(domain: string, definitions: D) {
    this.domain = domain;
    this.definitions = definitions;
    this.#versions = new Map(Object.entries(definitions).map(([type, definition]) => [type, versioned(definition)]));
  }

  get types(): string[] {
    return [...this.#versions.keys()];
  }

  /** Checks an event that a capture made. @throws BNY-SERVICE-EVENT */
  encode(event: DomainEvent): { version: number; data: string } {
    const known = this.#versions.get(event.type);
    if (!known) throw serviceFault('BNY-SERVICE-EVENT', { found: `type ${event.type}`, needed: this.types.join(', ') });
    const checked = known.schema.safeParse(event.data);
    if (checked.success) return { version: known.version, data: JSON.stringify(checked.data) };
    throw serviceFault('BNY-SERVICE-EVENT', { found: `${event.type}: ${z.prettifyError(checked.error)}` });
  }

  /** The data of an event in the log, in the current version. @throws BNY-SERVICE-UNKNOWN-EVENT */
  decode(event: LoggedEvent): Data {
    const known = this.#versions.get(event.type);
    let data = JSON.parse(event.data) as Data;
    if (known?.version === event.version) return data;
    for (let version = event.version; known && version < known.version; version++) {
      const upcast = known.upcast[version];
      if (!upcast) break;
      data = upcast(data);
      if (version + 1 === known.version) return data;
    }
    throw serviceFault('BNY-SERVICE-UNKNOWN-EVENT', {
      found: `${event.type} version ${event.version} at ${event.topic} offset ${event.offset}`,
      needed: known ? `versions ${Object.keys(known.upcast).join(', ')} to ${known.version}` : this.types.join(', '),
    });
  }
}

/** Strict: a field that the schema does not name would be missing from the log for good. */
function versioned(definition: Definition): VersionedEvent {
  const { schema, version, upcast } =
    'upcast' in definition ? definition : { schema: definition, version: 1, upcast: {} };
  return { schema: schema.strict(), version, upcast };
}

/** The events of `domain`: past-tense names, each with the schema of its data, which holds the whole row. */
export function defineEvents<const D extends Definitions>(domain: string, definitions: D): EventRegistry<D> {
  return new EventRegistry(domain, definitions);
}
