import type { Changes } from '../projection.ts';
import type { SqlValue, Table } from '../table.ts';

/** What is left of a batch for one table: the last state of each key. */
export interface TableFold {
  table: Table;
  /** Every row from before the batch goes. */
  cleared: boolean;
  /** Identity → values in column order, to set; */
  puts: Map<string, SqlValue[]>;
  /** identity → key, to remove. */
  deletes: Map<string, readonly SqlValue[]>;
}

/** Folds a batch of events per key: handlers set state, so the last state wins. */
export class Fold implements Changes {
  readonly tables = new Map<string, TableFold>();

  put(table: Table, row: Record<string, unknown>): void {
    const fold = this.#of(table);
    const identity = table.identity(table.keyOf(row));
    fold.puts.set(identity, table.values(row));
    fold.deletes.delete(identity);
  }

  delete(table: Table, key: readonly (string | number)[]): void {
    const fold = this.#of(table);
    const checked = table.checkedKey(key);
    const identity = table.identity(checked);
    fold.puts.delete(identity);
    fold.deletes.set(identity, checked);
  }

  clear(table: Table): void {
    this.tables.set(table.name, { table, cleared: true, puts: new Map(), deletes: new Map() });
  }

  #of(table: Table): TableFold {
    let fold = this.tables.get(table.name);
    if (!fold) {
      fold = { table, cleared: false, puts: new Map(), deletes: new Map() };
      this.tables.set(table.name, fold);
    }
    return fold;
  }
}
