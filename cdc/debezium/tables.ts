import { cdcFault } from '../errors.ts';
import type { FollowedNames } from '../statements/classify.ts';
import type { CapturedTable } from '../types.ts';
import { rowColumns } from '../values/supported.ts';
import { type DebeziumOptions, followedTables } from './options.ts';
import type { TableChange } from './record.ts';
import { compileReader, type RowReader, type Structure, structureOf } from './structures.ts';

export interface FollowedTable {
  /** As changes name it. */
  name: string;
  schema: string;
  captured: CapturedTable;
}

export type Structures = Readonly<Record<string, Structure>>;

/** The followed tables, and the structure that each has at the place that is being read. */
export class Tables implements FollowedNames {
  readonly #fold: (name: string) => string;
  readonly #followed = new Map<string, FollowedTable>();
  readonly #readers = new Map<string, RowReader>();
  #structures: Structures;

  constructor(options: DebeziumOptions, fold: (name: string) => string, structures: Structures = {}) {
    this.#fold = fold;
    this.#structures = structures;
    for (const { schema, tables, prefix } of followedTables(options)) {
      for (const [table, captured] of Object.entries(tables)) {
        this.#followed.set(fold(`${schema}.${table}`), { name: prefix + table, schema: fold(schema), captured });
      }
    }
  }

  get(schema: string, table: string): FollowedTable | undefined {
    return this.#followed.get(this.#fold(`${schema}.${table}`));
  }

  nameOf(schema: string, table: string): string | undefined {
    return this.get(schema, table)?.name;
  }

  tablesOf(schema?: string): string[] {
    const all = [...this.#followed.values()];
    const within = schema === undefined ? all : all.filter((table) => table.schema === this.#fold(schema));
    return within.map(({ name }) => name);
  }

  captures(table: string, column: string): boolean {
    const followed = [...this.#followed.values()].find(({ name }) => name === table);
    const same = (name: string) => name.toLowerCase() === column.toLowerCase();
    return followed !== undefined && rowColumns(followed.captured).some(same);
  }

  /** Undefined while nothing has told the table's structure. */
  reader({ name, captured }: FollowedTable): RowReader | undefined {
    const known = this.#readers.get(name);
    if (known) return known;
    const structure = this.#structures[name];
    if (!structure) return undefined;
    const reader = compileReader(structure, captured);
    this.#readers.set(name, reader);
    return reader;
  }

  /** @throws BNY-CDC-UNSUPPORTED-COLUMN */
  refuseUncarried(): void {
    for (const table of this.#followed.values()) {
      const [problem] = this.reader(table)?.problems ?? [];
      if (problem === undefined) continue;
      throw cdcFault('BNY-CDC-UNSUPPORTED-COLUMN', { found: `\`${table.name}\`: ${problem}` });
    }
  }

  apply(changes: readonly TableChange[]): void {
    for (const change of changes) {
      const followed = this.get(change.schema, change.table);
      if (!followed) continue;
      const { [followed.name]: _before, ...others } = this.#structures;
      const structure = structureOf(change, followed.captured);
      this.#structures = structure ? { ...others, [followed.name]: structure } : others;
      this.#readers.delete(followed.name);
    }
  }

  /** Table, as delivered → its structure; to go on with after a restart. */
  get structures(): Structures {
    return this.#structures;
  }

  /** Tables that nothing has told the structure of. */
  get unknown(): string[] {
    return this.tablesOf().filter((name) => !this.#structures[name]);
  }
}
