import type { Capture, CapturedDomain, CapturedTables, Change } from '../../cdc/index.ts';
import type { Commands } from './commands.ts';
import { serviceFault } from './errors.ts';
import type { EventOf, EventRegistry } from './events.ts';
import type { Handbacks } from './handback.ts';
import type { Projection } from './projection.ts';
import type { Queries } from './queries.ts';

/** Table → what a change of it means. Pure: no clock, no I/O, no other row. */
export type Captures<E extends EventRegistry, Table extends string> = {
  readonly [Name in Table]: (change: Change) => EventOf<E> | readonly EventOf<E>[] | undefined;
};

/** A route of the monolith: `GET /orders/:id`. */
export interface Route {
  method: string;
  path: string;
}

export interface DomainRoutes {
  /** Answered by the service once reads are switched; each has a query. */
  reads: readonly string[];
  /** Stay with the monolith until writes are switched. */
  writes: readonly string[];
}

/**
 * Table → unique text column → the form in which two values are equal exactly when the column's collation takes them
 * for equal. A store compares bytes, so commands look for what is taken in this form.
 */
export type UniqueText = Readonly<Record<string, Readonly<Record<string, (text: string) => string>>>>;

/** Everything Banyan knows of a domain. */
export interface Domain extends CapturedDomain {
  events: EventRegistry;
  projection: Projection;
  queries: Queries;
  routes: { reads: readonly Route[]; writes: readonly Route[] };
  /** Without them its writes stay with the monolith. */
  commands?: Commands;
  handback?: Handbacks;
  unique: UniqueText;
  partitions: number;
}

export interface DomainFiles<E extends EventRegistry, T extends CapturedTables> {
  /** Lower case; names topic, service and store. */
  name: string;
  /** The monolith's tables that move with it. */
  tables: T;
  routes: DomainRoutes;
  events: E;
  capture: Captures<E, keyof T & string>;
  projection: Projection;
  queries: Queries;
  /** One for each write route, or none at all: then writes stay with the monolith. */
  commands?: Commands<E>;
  /** One for each event type; goes with the commands. */
  handback?: Handbacks<E>;
  unique?: UniqueText;
  /** Of the domain's topic: its events are placed by aggregate. Fixed for life; default 1. */
  partitions?: number;
}

const isTaken = (name: string) => name in {};

/** Binds a domain's files together. @throws BNY-SERVICE-DOMAIN when they do not fit */
export function defineDomain<E extends EventRegistry, const T extends CapturedTables>(
  files: DomainFiles<E, T>,
): Domain {
  const { name, tables, events, capture, projection, queries, commands, handback, unique = {}, partitions = 1 } = files;
  const misfit = (found: string) => serviceFault('BNY-SERVICE-DOMAIN', { found: `${name}: ${found}` });
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name) || name === 'banyan')
    throw misfit('a name is lower-case letters, digits and hyphens');
  const taken = [name, ...Object.entries(tables).flatMap(([table, { columns }]) => [table, ...columns])].filter(
    isTaken,
  );
  if (taken.length > 0) throw misfit(`${taken.join(', ')}: a name that every JavaScript object has already`);
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 100)
    throw misfit(`${partitions} partitions: a whole number from 1 to 100 is needed`);
  if (events.domain !== name) throw misfit(`events.ts is of ${events.domain}`);
  for (const table of Object.keys(tables))
    if (!capture[table]) throw misfit(`capture.ts has no capture of table ${table}`);
  for (const [table, { key, columns }] of Object.entries(tables)) {
    const unknown = key.filter((column) => !columns.includes(column));
    if (key.length === 0 || unknown.length > 0) throw misfit(`the key of table ${table} must be among its columns`);
  }
  for (const route of files.routes.reads) if (!queries[route]) throw misfit(`queries.ts has no query for ${route}`);
  for (const route of Object.keys(queries)) {
    if (!files.routes.reads.includes(route)) throw misfit(`domain.ts does not list ${route} among its reads`);
  }
  if (commands || handback) checkWrites();
  for (const [table, columns] of Object.entries(unique)) {
    const unknown = Object.keys(columns).filter((column) => !tables[table]?.columns.includes(column));
    if (unknown.length > 0) throw misfit(`unique ${table}.${unknown.join(', ')} is no captured column`);
  }
  return {
    name,
    tables,
    capture: capture as Readonly<Record<string, Capture>>,
    encode: (event) => events.encode(event),
    events,
    projection,
    queries,
    routes: { reads: files.routes.reads.map(parse), writes: files.routes.writes.map(parse) },
    partitions,
    unique,
    ...(commands && { commands: commands as unknown as Commands }),
    ...(handback && { handback: handback as unknown as Handbacks }),
  };

  function checkWrites(): void {
    const pair = (what: string, needed: readonly string[], found: object = {}) => {
      const missing = needed.filter((one) => !(one in found));
      if (missing.length > 0) throw misfit(`${what} has nothing for ${missing.join(', ')}`);
      const unknown = Object.keys(found).filter((one) => !needed.includes(one));
      if (unknown.length > 0) throw misfit(`${what} has ${unknown.join(', ')}, which the domain does not name`);
    };
    pair('commands.ts', files.routes.writes, commands);
    pair('handback.ts', events.types, handback);
  }

  function parse(route: string): Route {
    const [method = '', path = ''] = route.split(' ');
    if (!/^[A-Z]+$/.test(method) || !path.startsWith('/'))
      throw misfit(`"${route}" is no route: write "GET /path/:id"`);
    return { method, path };
  }
}
