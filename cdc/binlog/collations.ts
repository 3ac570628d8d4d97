import type { TableMapEvent } from '@vlasky/zongji';
import type { RawEvent } from './dump.ts';

const VARCHAR = 15;
const COMPRESSED_BLOB = 140;
const COMPRESSED_VARCHAR = 141;
const BLOB = 252;
const STRING = 254;
const GEOMETRY = 255;

/** Columns with a collation, in MariaDB's eyes. zongji leaves GEOMETRY out, and so gives each column behind it a wrong one. */
const WITH_COLLATION = new Set([VARCHAR, COMPRESSED_BLOB, COMPRESSED_VARCHAR, BLOB, STRING, GEOMETRY]);

/** Fields of a table map's optional metadata. */
const DEFAULT_CHARSET = 2;
const COLUMN_CHARSET = 3;

/** Collation ids by column, read from a table map's bytes; of ENUM and SET, which stand elsewhere, not. */
export function collationsOf(event: RawEvent, map: TableMapEvent): ReadonlyMap<number, number> {
  const columns = map.columnTypes.flatMap((type, i) => {
    const isLabel = map.columnsMetadata[i]?.['type'] !== undefined;
    return WITH_COLLATION.has(type) && !isLabel ? [i] : [];
  });
  const reader = new BytesReader(event);
  reader.skip(8);
  reader.skip(reader.byte() + 1);
  reader.skip(reader.byte() + 1);
  const count = reader.number();
  reader.skip(count);
  reader.skip(reader.number());
  reader.skip((count + 7) >> 3);
  while (!reader.done) {
    const field = reader.byte();
    const length = reader.number();
    if (field !== DEFAULT_CHARSET && field !== COLUMN_CHARSET) {
      reader.skip(length);
      continue;
    }
    const numbers = reader.numbers(length);
    if (field === COLUMN_CHARSET) return new Map(columns.map((column, i) => [column, numbers[i] as number]));
    const [usual = 0, ...others] = numbers;
    const collations = new Map(columns.map((column) => [column, usual]));
    for (let i = 0; i < others.length; i += 2) {
      collations.set(columns[others[i] as number] as number, others[i + 1] as number);
    }
    return collations;
  }
  return new Map();
}

class BytesReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor({ bytes, body, end }: RawEvent) {
    this.#bytes = bytes;
    this.#at = body;
    this.#end = end;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  skip(count: number): void {
    this.#at += count;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#at++);
  }

  /** Length-coded. */
  number(): number {
    const first = this.byte();
    if (first < 251) return first;
    const width = first - 250;
    const value = this.#bytes.readUIntLE(this.#at, width);
    this.#at += width;
    return value;
  }

  numbers(length: number): number[] {
    const end = this.#at + length;
    const numbers: number[] = [];
    while (this.#at < end) numbers.push(this.number());
    return numbers;
  }
}
