import { readdirSync, readlinkSync } from 'node:fs';

// Only tests may import this file.

/** What this process has open of a file that SQLite works on. */
export function handlesOf(file: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(file) ? [target] : [];
    } catch {
      // The listing's own handle is closed by now.
      return [];
    }
  });
}
