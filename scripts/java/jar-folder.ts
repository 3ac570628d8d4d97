import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Where `install.sh` keeps the jars of a pom. Its hash is in the name, so a changed pom never meets the jars of the old one. */
export function jarFolder(pom: 'worker' | 'plugins'): string {
  const hash = createHash('sha256')
    .update(readFileSync(`scripts/java/${pom}.pom.xml`))
    .digest('hex');
  return resolve('node_modules/.cache/banyan', `${pom}-${hash.slice(0, 12)}`);
}
