import type { IncomingMessage } from 'node:http';

/** Node takes the first of several Hosts; another server may take the last. */
export function isHostClear(req: IncomingMessage): boolean {
  const { rawHeaders } = req;
  let seen = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (++seen > 1 || !isHostValue(rawHeaders[at + 1] as string)) return false;
  }
  return true;
}

export function isHostValue(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    // Letters, digits and `-.:[]_%~`: a name or address with a port. Anything else could leave the quotes of Forwarded.
    const alphanumeric =
      (code >= 0x30 && code <= 0x3a) || (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5b);
    if (!alphanumeric && !'-.]_%~'.includes(value[at] as string)) return false;
  }
  return true;
}
