import type { CapturedTable, CapturedTables } from '../types.ts';
import { rowColumns } from '../values/supported.ts';
import type { FollowedNames } from './classify.ts';

/** What a source follows: the monolith's tables, and Banyan's own in a schema of their own. */
export interface Followed {
  schema: string;
  tables: CapturedTables;
  alsoFollow?: { schema: string; tables: CapturedTables } | undefined;
}

interface Named {
  schema: string;
  /** As the server names it. */
  table: string;
  /** As changes name it: Banyan's own `schema.table`. */
  name: string;
  captured: CapturedTable;
}

export type FollowedTable = Pick<Named, 'name' | 'captured'>;

export function followedTables({ schema, tables, alsoFollow }: Followed): Named[] {
  const own = Object.entries(tables).map(([table, captured]) => ({ schema, table, name: table, captured }));
  const others = alsoFollow ? followedTables(alsoFollow) : [];
  return [...own, ...others.map((other) => ({ ...other, name: `${other.schema}.${other.table}` }))];
}

/** The tables whose rows are delivered. `fold`: how the server compares the names of schemas and tables. */
export class FollowedTables implements FollowedNames {
  readonly all: readonly FollowedTable[];
  readonly #fold: (name: string) => string;
  readonly #byName: ReadonlyMap<string, Named>;

  constructor(followed: Followed, fold: (name: string) => string) {
    this.#fold = fold;
    this.#byName = new Map(followedTables(followed).map((each) => [fold(`${each.schema}.${each.table}`), each]));
    this.all = [...this.#byName.values()];
  }

  get(schema: string, table: string): FollowedTable | undefined {
    return this.#byName.get(this.#fold(`${schema}.${table}`));
  }

  nameOf(schema: string, table: string): string | undefined {
    return this.get(schema, table)?.name;
  }

  tablesOf(schema?: string): string[] {
    const isWithin = (each: Named) => schema === undefined || this.#fold(each.schema) === this.#fold(schema);
    return [...this.#byName.values()].filter(isWithin).map(({ name }) => name);
  }

  captures(table: string, column: string): boolean {
    const followed = this.all.find(({ name }) => name === table);
    const same = (name: string) => name.toLowerCase() === column.toLowerCase();
    return followed !== undefined && rowColumns(followed.captured).some(same);
  }
}
