import type { Row, Value } from '../../cdc/index.ts';
import type { EventData, EventRegistry } from './events.ts';

/** What an event changes in the monolith's tables. Values are canonical: as captures get them. */
export type RowChange =
  /** Sets these columns of the row with this key, and makes it when it is not there; other columns stay as they are. */
  | { table: string; put: Row }
  /** Removes the row with this key: the key's columns and their values. */
  | { table: string; delete: Row }
  /** An UPDATE of columns that no capture reads, derived and excluded ones; of any domain's table. */
  | { table: string; derive: { set: Readonly<Record<string, Value | Expression>>; where: Row } };

/** SQL that the monolith's server evaluates, once the event's rows are in. */
export interface Expression {
  readonly sql: string;
}

/** Event type → how it gets back into the monolith's tables. Pure: what the capture would make this event of. */
export type Handbacks<E extends EventRegistry = EventRegistry> = {
  readonly [Type in keyof E['definitions'] & string]: (event: { data: EventData<E, Type> }) => readonly RowChange[];
};
