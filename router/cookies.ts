export const SESSION_COOKIE = 'banyan_session';
export const POSITION_COOKIE = 'banyan_position';

/**
 * The value of a cookie; `null` if it was sent more than once with different values: servers differ in which one they
 * take, so nothing may be decided by it.
 */
export function cookieValue(header: string | undefined, name: string): string | null | undefined {
  let found: string | undefined;
  for (let from = 0; header !== undefined && from < header.length; ) {
    const semicolon = header.indexOf(';', from);
    const end = semicolon === -1 ? header.length : semicolon;
    const start = afterBlanks(header, from);
    const equals = header.startsWith(name, start) ? afterBlanks(header, start + name.length) : end;
    if (header[equals] === '=') {
      const value = header.slice(equals + 1, end).trim();
      if (found !== undefined && found !== value) return null;
      found = value;
    }
    from = end + 1;
  }
  return found;
}

export function setCookie(
  name: string,
  value: string,
  attributes: { secure: boolean; maxAgeSeconds?: number },
): string {
  const age = attributes.maxAgeSeconds === undefined ? '' : `; Max-Age=${attributes.maxAgeSeconds}`;
  return `${name}=${value}; Path=/${age}; HttpOnly; SameSite=Lax${attributes.secure ? '; Secure' : ''}`;
}

function afterBlanks(header: string, from: number): number {
  let at = from;
  while (header[at] === ' ' || header[at] === '\t') at++;
  return at;
}
