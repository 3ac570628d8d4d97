import type { TableMapEvent } from '@vlasky/zongji';
import { cdcFault } from '../errors.ts';
import { type FollowedTable, FollowedTables } from '../statements/followed-tables.ts';
import { compileImage, type RowImage } from '../values/image.ts';
import type { ImageColumn } from '../values/image-types.ts';
import { shapeOf } from '../values/shape.ts';
import { rowColumns } from '../values/supported.ts';
import { collationsOf } from './collations.ts';
import type { RawEvent } from './dump.ts';
import type { Settings } from './options.ts';

/** A followed table as the table map before its rows describes it. */
export interface MappedTable extends FollowedTable {
  columns: readonly ImageColumn[];
  image: RowImage;
}

interface Mapped {
  /** The table map's bytes after the table's id: the same bytes mean the same table. */
  body: Buffer;
  table: MappedTable | undefined;
}

/** What the table ids in row events stand for. */
export class TableMaps {
  readonly followed: FollowedTables;
  readonly #charsets: ReadonlyMap<number, string>;
  readonly #byId = new Map<number, Mapped>();
  #shapes: Readonly<Record<string, string>>;

  constructor(
    settings: Settings,
    charsets: ReadonlyMap<number, string>,
    fold: (name: string) => string,
    shapes: Readonly<Record<string, string>> = {},
  ) {
    this.followed = new FollowedTables(settings, fold);
    this.#shapes = shapes;
    this.#charsets = charsets;
  }

  /** Undefined of a table that is not followed. @throws BNY-CDC-UNDECODABLE when no table map told what the id stands for */
  get(id: number): MappedTable | undefined {
    const mapped = this.#byId.get(id);
    if (!mapped) throw cdcFault('BNY-CDC-UNDECODABLE', { found: `rows of table id ${id} without a table map` });
    return mapped.table;
  }

  /** Ids are given anew after a restart and with every reopened table: forget those of the file before. */
  clear(): void {
    this.#byId.clear();
  }

  /**
   * Takes a table map. Cheap when it says what it said before, as it does for nearly every statement. Returns the table
   * if its values look different than before, though no statement said so: it has been swapped for a converted copy.
   */
  map(event: RawEvent): string | undefined {
    const { bytes, body, end } = event;
    const id = bytes.readUIntLE(body, 6);
    const known = this.#byId.get(id);
    if (known && known.body.compare(bytes, body + 6, end) === 0) return undefined;
    const copy = Buffer.from(bytes.subarray(body + 6, end));
    const table = this.#mapped(event);
    this.#byId.set(id, { body: copy, table });
    return table && this.#isReshaped(table) ? table.name : undefined;
  }

  #isReshaped({ name, captured, columns, image }: MappedTable): boolean {
    if (image.problems.length > 0) return false;
    const names = rowColumns(captured);
    const shape = shapeOf(names.map((column) => columns.find((each) => each.name === column) as ImageColumn));
    const before = this.#shapes[name];
    const now = `${names.join()} ${shape}`;
    if (before === now) return false;
    this.#shapes = { ...this.#shapes, [name]: now };
    // Other columns are captured now: that is not the table's doing.
    return before?.startsWith(`${names.join()} `) ?? false;
  }

  /** Table, as delivered → its captured columns and the shape of their values; to go on with after a restart. */
  get shapes(): Readonly<Record<string, string>> {
    return this.#shapes;
  }

  /** What has been told of these tables need not be found out again. */
  forgetShapes(tables: readonly string[]): void {
    this.#shapes = Object.fromEntries(Object.entries(this.#shapes).filter(([table]) => !tables.includes(table)));
  }

  #mapped(event: RawEvent): MappedTable | undefined {
    const { bytes, body } = event;
    const schemaLength = bytes[body + 8] as number;
    const tableAt = body + 11 + schemaLength;
    const schema = bytes.toString('utf8', body + 9, body + 9 + schemaLength);
    const table = bytes.toString('utf8', tableAt, tableAt + (bytes[tableAt - 1] as number));
    const followed = this.followed.get(schema, table);
    if (!followed) return undefined;
    const { name, captured } = followed;
    const map = event.parse<TableMapEvent & Internals>();
    const columns = this.#columns(map, collationsOf(event, map));
    const key = (map.primaryKey ?? []).map((i) => columns[i]?.name);
    const image: RowImage =
      key.join() === captured.key.join()
        ? compileImage(columns, captured)
        : { problems: [`the primary key is (${key}), declared is (${captured.key})`] };
    return { name, captured, columns, image };
  }

  #columns(map: TableMapEvent & Internals, collations: ReadonlyMap<number, number>): ImageColumn[] {
    if (!map.hasSelfDescribingMetadata() || !map.columnNames) {
      throw cdcFault('BNY-CDC-UNDECODABLE', {
        found: `rows of \`${map.schemaName}\`.\`${map.tableName}\` without the names of their columns`,
        needed: 'binlog_row_metadata = FULL when they are written',
        cure: 'SET GLOBAL binlog_row_metadata = FULL, also in the configuration file. What was written before cannot be read: start with a new log and seed again.',
      });
    }
    return map.columnNames.map((name, i) => {
      const { type, ...meta } = map.columnsMetadata[i] ?? {};
      const collation = collations.get(i) ?? map._columnCharsetIds?.[i];
      const charset =
        collation === undefined ? undefined : (this.#charsets.get(collation) ?? `of collation ${collation}`);
      return {
        name,
        type: (type as number | undefined) ?? (map.columnTypes[i] as number),
        meta: meta as ImageColumn['meta'],
        unsigned: map.signedness?.[i] ?? false,
        charset: charset === 'binary' ? undefined : charset,
        labels: map._enumSetValues?.[i],
      };
    });
  }
}

/** Parts of a table map that zongji reads and does not name in its types: collations and labels of ENUM and SET. */
interface Internals {
  _columnCharsetIds?: (number | undefined)[];
  _enumSetValues?: (Buffer[] | undefined)[];
}
