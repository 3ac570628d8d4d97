/** Why a request target can be read in more than one way. Label of a metric: keep the set small and fixed. */
export type NotCanonical =
  | 'not-origin-form'
  | 'fragment'
  | 'empty-segment'
  | 'dot-segment'
  | 'path-parameter'
  | 'unescaped'
  | 'bad-escape'
  | 'lower-case-escape'
  | 'needless-escape'
  | 'escaped-separator'
  | 'escaped-control'
  | 'double-escape'
  | 'bad-utf8';

/** `query` is what follows the path as it came, `?` included, or empty. */
export type Target =
  | { readonly canonical: true; readonly path: string; readonly query: string }
  | { readonly canonical: false; readonly reason: NotCanonical };

const SLASH = 0x2f;
const PERCENT = 0x25;
const QUESTION = 0x3f;

const UNRESERVED = codes('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~');
/** RFC 3986 `pchar` without `;`, which some servers cut off together with what follows. */
const PLAIN = codes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@");

/**
 * Reads a request target once. Only a path with a single reading is canonical: servers differ in whether they merge
 * slashes, resolve dots, cut parameters or unescape twice, and a path that router and service read differently would
 * pass the router's rules under a false name. So the form is narrower than RFC 3986 demands; what falls out of it is
 * not wrong, it merely stays with the monolith.
 */
export function parseTarget(target: string): Target {
  if (target.charCodeAt(0) !== SLASH) return flawed('not-origin-form');
  let segment = 1;
  let beyondAscii = false;
  let at = 1;
  for (; at < target.length; at++) {
    const code = target.charCodeAt(at);
    if (code === QUESTION) break;
    if (code === SLASH) {
      if (at === segment) return flawed('empty-segment');
      if (isDots(target, segment, at)) return flawed('dot-segment');
      segment = at + 1;
    } else if (code === PERCENT) {
      const flaw = escapeFlaw(target, at);
      if (flaw) return flawed(flaw);
      beyondAscii ||= hexValue(target.charCodeAt(at + 1)) > 7;
      at += 2;
    } else if (!PLAIN[code]) {
      return flawed(target[at] === ';' ? 'path-parameter' : target[at] === '#' ? 'fragment' : 'unescaped');
    }
  }
  if (isDots(target, segment, at)) return flawed('dot-segment');
  const path = target.slice(0, at);
  if (beyondAscii && !isUtf8(path)) return flawed('bad-utf8');
  return { canonical: true, path, query: target.slice(at) };
}

function escapeFlaw(target: string, at: number): NotCanonical | undefined {
  const high = hexValue(target.charCodeAt(at + 1));
  const low = hexValue(target.charCodeAt(at + 2));
  if (high < 0 || low < 0) return isHex(target, at + 1) ? 'lower-case-escape' : 'bad-escape';
  const byte = high * 16 + low;
  if (byte < 0x20 || byte === 0x7f) return 'escaped-control';
  if (byte === SLASH || byte === 0x5c) return 'escaped-separator';
  if (byte === 0x3b) return 'path-parameter';
  if (byte === PERCENT && isHex(target, at + 3)) return 'double-escape';
  return UNRESERVED[byte] ? 'needless-escape' : undefined;
}

/** The value of an upper-case hexadecimal digit, or -1. */
function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code >= 0x41 && code <= 0x46 ? code - 0x37 : -1;
}

function isHex(target: string, at: number): boolean {
  return /^[0-9a-f]{2}$/i.test(target.slice(at, at + 2));
}

/** Whether the segment is `.` or `..`. */
function isDots(target: string, from: number, to: number): boolean {
  const length = to - from;
  return (length === 1 || length === 2) && target[from] === '.' && target[to - 1] === '.';
}

function isUtf8(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

function flawed(reason: NotCanonical): Target {
  return { canonical: false, reason };
}

function codes(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}
