import type { Position } from '../types.ts';

/** `binlog.000003`, 12345 → `0000000003:000000012345`: the end of a transaction, comparable as text. */
export function formatPosition(file: number, offset: number): Position {
  return `${String(file).padStart(10, '0')}:${String(offset).padStart(12, '0')}`;
}

export function parsePosition(position: Position): { file: number; offset: number } {
  const [file, offset] = position.split(':');
  return { file: Number(file), offset: Number(offset) };
}

export function fileNumber(name: string): number {
  const number = Number(name.slice(name.lastIndexOf('.') + 1));
  if (!Number.isInteger(number)) throw new TypeError(`not the name of a binlog file: ${name}`);
  return number;
}

const TWO_32 = 2 ** 32;

/** Where in the binlog the stream stands. */
export class StreamPosition {
  file = 0;
  offset = 0;
  #known: { file: number; offset: number };

  /** `known`: no transaction is to be read before it. */
  constructor(known: Position) {
    this.#known = parsePosition(known);
  }

  enter(name: string, offset: number): void {
    this.file = fileNumber(name);
    this.offset = offset;
  }

  /** The server skips from a file's head to the transaction asked for: this tells into which 4 GB of the file. */
  atTransaction(): void {
    if (this.file === this.#known.file) this.offset = Math.max(this.offset, this.#known.offset);
  }

  /** Events carry 32 bits of their end: the offset only grows, so the rest is known. */
  advance(end32: number): void {
    this.offset += (end32 - (this.offset % TWO_32) + TWO_32) % TWO_32;
  }

  toString(): Position {
    return formatPosition(this.file, this.offset);
  }
}
