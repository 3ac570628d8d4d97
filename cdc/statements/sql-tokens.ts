export interface Token {
  /** `mark`: a comment of Banyan's own, `/* banyan … *​/`; other comments are no tokens. */
  kind: 'word' | 'quoted' | 'literal' | 'symbol' | 'mark';
  /** Without quotes; of a literal `?`. */
  text: string;
}

/** How the session that wrote the statement read it; bits of its sql_mode. */
export interface SqlMode {
  ansiQuotes: boolean;
  noBackslashEscapes: boolean;
}

const WORD = /[\p{L}\p{N}_$@]+/uy;
const NUMBER = /0x[\da-f]+|0b[01]+|\d*\.?\d+(?:e[+-]?\d+)?(?![\p{L}\p{N}_$])/iuy;
const SPACE = /\s+/y;
const EXECUTABLE = /\/\*M?!\d*/y;
const LINE_COMMENT = /(?:#|--(?=\s|$))[^\n]*/y;
const COMMENT = /\/\*[\s\S]*?(?:\*\/|$)/y;
const OWN_MARK = /^\/\*\s*(banyan [\w:.-]+)\s*\*\/$/;
const QUOTED = {
  '`': /`(?:[^`]|``)*(?:`|$)/y,
  "'": /'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)/y,
  '"': /"(?:[^"\\]|\\[\s\S]|"")*(?:"|$)/y,
};
const QUOTED_PLAIN = { "'": /'(?:[^']|'')*(?:'|$)/y, '"': /"(?:[^"]|"")*(?:"|$)/y };

/** Takes an SQL statement apart as the server does. What stands in executable comments counts. */
export function* tokensOf(sql: string, mode: SqlMode): Generator<Token> {
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(sql)?.[0];
    if (found) at += found.length;
    return found;
  };
  while (at < sql.length) {
    if (match(SPACE) ?? match(EXECUTABLE) ?? match(LINE_COMMENT)) continue;
    const comment = match(COMMENT);
    if (comment) {
      const mark = OWN_MARK.exec(comment)?.[1];
      if (mark) yield { kind: 'mark', text: mark };
    } else if (sql.startsWith('*/', at)) {
      at += 2;
    } else if (match(NUMBER)) {
      yield { kind: 'literal', text: '?' };
    } else {
      yield quoted(sql[at] as string, mode, match) ?? bare(match) ?? { kind: 'symbol', text: sql[at++] as string };
    }
  }
}

function quoted(quote: string, mode: SqlMode, match: (pattern: RegExp) => string | undefined): Token | undefined {
  if (quote === '`') return name(match(QUOTED['`']), quote);
  if (quote !== "'" && quote !== '"') return undefined;
  if (quote === '"' && mode.ansiQuotes) return name(match(QUOTED_PLAIN['"']), quote);
  match((mode.noBackslashEscapes ? QUOTED_PLAIN : QUOTED)[quote]);
  return { kind: 'literal', text: '?' };
}

function name(text: string | undefined, quote: string): Token {
  return { kind: 'quoted', text: (text ?? '').slice(1, -1).replaceAll(quote + quote, quote) };
}

function bare(match: (pattern: RegExp) => string | undefined): Token | undefined {
  const word = match(WORD);
  return word === undefined ? undefined : { kind: 'word', text: word };
}

/** A statement's tokens as text again, in one line. */
export function textOf(tokens: readonly Token[], length: number): string {
  let text = '';
  for (const [i, { kind, text: part }] of tokens.entries()) {
    const tight = i === 0 || /^[.,)]$/.test(part) || /[.(]$/.test(text);
    text += `${tight ? '' : ' '}${kind === 'quoted' ? `\`${part}\`` : kind === 'mark' ? `/* ${part} */` : part}`;
    if (text.length > length) return `${text.slice(0, length)}…`;
  }
  return text;
}
