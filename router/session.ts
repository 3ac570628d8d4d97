/** Where the ramp puts a session: from 0 up to and without 100, evenly spread, and independent between domains. */
export function bucketOf(domain: string, session: string): number {
  let hash = fnv1a(fnv1a(0x811c9dc5, domain), session);
  // FNV leaves the high bits of short strings uneven; murmur3's finish spreads them.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) * (100 / 2 ** 32);
}

function fnv1a(seed: number, text: string): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return Math.imul(hash ^ 0xff, 0x01000193);
}
