import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { configKeys } from '../../cli/config/keys.ts';
import { CATALOGUE } from '../../cli/errors.ts';
import { pages } from './pages.ts';

const DOCS = [
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name)),
].filter((name) => name.endsWith('.md'));

describe('the documentation', () => {
  it('holds the generated pages as they would be printed now: run `node scripts/docs.ts`', () => {
    for (const [path, text] of Object.entries(pages())) expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('says what every key of the configuration is for', () => {
    expect(configKeys().filter(({ meaning }) => meaning === '')).toEqual([]);
    expect(configKeys().map(({ variable }) => variable)).toContain('BANYAN_MONOLITH_DATABASE_PASSWORD');
  });

  it('names no file that is not there', () => {
    const missing = DOCS.flatMap((doc) =>
      [...readFileSync(doc, 'utf8').matchAll(/\]\(([^)#:]+)\)/g)]
        .map(([, target = '']) => join(dirname(doc), target))
        .filter((path) => !existsSync(path)),
    );
    expect(missing).toEqual([]);
  });

  it('has an entry for every error code in the sources, and none for a code that is gone', () => {
    const used = new Set(
      sources().flatMap((file) =>
        [...readFileSync(file, 'utf8').matchAll(/BNY-[A-Z]+(?:-[A-Z]+)+/g)].map(([code]) => code),
      ),
    );
    const raised = new Set(
      sources(/(?<!errors)\.ts$/).flatMap((file) =>
        [...readFileSync(file, 'utf8').matchAll(/'(BNY-[A-Z-]+)'/g)].map(([, code]) => code),
      ),
    );
    expect([...used].filter((code) => !(code in CATALOGUE))).toEqual([]);
    expect(Object.keys(CATALOGUE).filter((code) => !raised.has(code) && !usedInErrors(code))).toEqual([]);
  });
});

/** Some errors files raise their own codes. */
function usedInErrors(code: string): boolean {
  return sources(/errors\.ts$/).some((file) => readFileSync(file, 'utf8').split(`'${code}'`).length > 2);
}

function sources(pattern = /\.ts$/): string[] {
  const folders = ['log', 'cdc', 'etl', 'router', 'services/kit', 'cli'];
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => pattern.test(name) && !name.endsWith('.test.ts'))
      .map((name) => join(folder, name)),
  );
}
