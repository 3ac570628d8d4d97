import { writeFileSync } from 'node:fs';
import { pages } from './docs/pages.ts';

/** `node scripts/docs.ts`: prints the generated pages of docs/ anew. A test fails when they differ. */
for (const [path, text] of Object.entries(pages())) writeFileSync(path, text);
