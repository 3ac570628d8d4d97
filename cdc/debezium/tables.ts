import { cdcFault } from '../errors.ts';
import { type Followed, type FollowedTable, FollowedTables } from '../statements/followed-tables.ts';
import type { TableChange } from './record.ts';
import { compileReader, type RowReader, type Structure, structureOf } from './structures.ts';

export type Structures = Readonly<Record<string, Structure>>;

/** The followed tables, and the structure that each has at the place that is being read. */
export class Tables {
  readonly followed: FollowedTables;
  readonly #readers = new Map<string, RowReader>();
  #structures: Structures;

  constructor(options: Followed, fold: (name: string) => string, structures: Structures = {}) {
    this.followed = new FollowedTables(options, fold);
    this.#structures = structures;
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
    for (const table of this.followed.all) {
      const [problem] = this.reader(table)?.problems ?? [];
      if (problem === undefined) continue;
      throw cdcFault('BNY-CDC-UNSUPPORTED-COLUMN', { found: `\`${table.name}\`: ${problem}` });
    }
  }

  apply(changes: readonly TableChange[]): void {
    for (const change of changes) {
      const followed = this.followed.get(change.schema, change.table);
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
    return this.followed.tablesOf().filter((name) => !this.#structures[name]);
  }
}
