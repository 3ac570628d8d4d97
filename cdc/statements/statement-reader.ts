import type { Token } from './sql-tokens.ts';

export interface TableName {
  schema: string | undefined;
  table: string;
}

/** Reads through the tokens of one statement. Words match unquoted only, in any case. */
export class StatementReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** The next token if it is a word, in upper case. */
  word(): string | undefined {
    const word = this.#wordAt(this.#at);
    if (word !== undefined) this.#at++;
    return word;
  }

  /** Moves past these words if they stand next, in this order. */
  take(...words: string[]): boolean {
    if (!words.every((word, i) => this.#wordAt(this.#at + i) === word)) return false;
    this.#at += words.length;
    return true;
  }

  takeSymbol(symbol: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'symbol' || token.text !== symbol) return false;
    this.#at++;
    return true;
  }

  /** Moves past any of these words, as many as stand next. */
  skip(...words: string[]): void {
    while (words.includes(this.#wordAt(this.#at) ?? '')) this.#at++;
  }

  /** Moves past the next occurrence of one of these words, and returns it. */
  seek(...words: string[]): string | undefined {
    for (let at = this.#at; at < this.#tokens.length; at++) {
      const word = this.#wordAt(at);
      if (word === undefined || !words.includes(word)) continue;
      this.#at = at + 1;
      return word;
    }
    return undefined;
  }

  /** A name, qualified or not. */
  name(): TableName | undefined {
    const found = this.#nameAt(this.#at);
    if (found) this.#at += found.schema === undefined ? 1 : 3;
    return found;
  }

  /** Whatever could be a table's name from here to `before`, or to the end. */
  names(before?: string): TableName[] {
    const names: TableName[] = [];
    for (let at = this.#at; at < this.#tokens.length; at++) {
      if (before !== undefined && this.#wordAt(at) === before) break;
      const name = this.#nameAt(at);
      if (name) names.push(name);
    }
    return names;
  }

  #wordAt(at: number): string | undefined {
    const token = this.#tokens[at];
    return token?.kind === 'word' ? token.text.toUpperCase() : undefined;
  }

  #nameAt(at: number): TableName | undefined {
    const first = this.#identifierAt(at);
    if (first === undefined) return undefined;
    const dot = this.#tokens[at + 1];
    const second = dot?.kind === 'symbol' && dot.text === '.' ? this.#identifierAt(at + 2) : undefined;
    return second === undefined ? { schema: undefined, table: first } : { schema: first, table: second };
  }

  #identifierAt(at: number): string | undefined {
    const token = this.#tokens[at];
    return token?.kind === 'word' || token?.kind === 'quoted' ? token.text : undefined;
  }
}
