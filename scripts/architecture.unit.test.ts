import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/** From the user to the log; each may import those behind it. */
const LAYERS = ['cli', 'router', 'services/kit', 'etl', 'cdc', 'log'];
const EXAMPLES = ['posts', 'claps', 'profiles', 'publications', 'processors'].map((name) => `services/${name}`);

const files = readdirSync('.', { recursive: true, encoding: 'utf8' })
  .filter((file) => /^(cli|router|services|etl|cdc|log|monolith)\/.*\.ts$/.test(file))
  .map((file) => ({ file, text: readFileSync(file, 'utf8') }));
const product = files.filter(({ file }) => !/\.test\.ts$|\/test-[a-z-]+\.ts$|testbed\.ts$|contract\.ts$/.test(file));

function importsOf({ file, text }: { file: string; text: string }): string[] {
  return [...text.matchAll(/from '(\.[^']+)'/g)].map(([, target = '']) => relative('.', join(dirname(file), target)));
}

function folderOf(file: string, folders: readonly string[]): string | undefined {
  return folders.find((folder) => file.startsWith(`${folder}/`));
}

describe('the tree', () => {
  it('depends one way: cli → router → services → etl → cdc → log', () => {
    const wrong = product.flatMap((source) => {
      const from = LAYERS.indexOf(folderOf(source.file, LAYERS) ?? '');
      if (from < 0) return [];
      return importsOf(source)
        .filter((target) => {
          const to = LAYERS.indexOf(folderOf(target, LAYERS) ?? '');
          return to < from;
        })
        .map((target) => `${source.file} → ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('lets the monolith know nothing of the toolkit', () => {
    const wrong = product
      .filter(({ file }) => file.startsWith('monolith/'))
      .flatMap((source) => importsOf(source).filter((target) => !target.startsWith('monolith/')));
    expect(wrong).toEqual([]);
  });

  it('lets the toolkit import no example', () => {
    const wrong = product
      .filter(({ file }) => folderOf(file, LAYERS))
      .flatMap((source) =>
        importsOf(source)
          .filter((target) => folderOf(target, EXAMPLES))
          .map((target) => `${source.file} → ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  it('lets the toolkit name no domain of the example', () => {
    const named = product
      .filter(({ file }) => folderOf(file, LAYERS))
      .flatMap(({ file, text }) =>
        [...text.matchAll(/\b(posts|claps|publications)\b/gi)].map(([word]) => `${file}: ${word}`),
      );
    expect(named).toEqual([]);
  });

  it('lets one file of the command line choose the adapters', () => {
    const choosing = product
      .filter(({ file }) => file.startsWith('cli/'))
      .filter((source) => /\/(binlog|sqlite|mysql|memory)\/|SqliteLog|openMemoryLog/.test(source.text))
      .map(({ file }) => file);
    expect(choosing).toEqual(['cli/config/adapters.ts']);
  });

  it('lets the kit name no adapter of the stores', () => {
    const naming = product
      .filter(({ file }) => file.startsWith('services/kit/') && !/\/store\/(sqlite|mysql)\//.test(file))
      .filter(
        (source) => /sqlite|mysql/i.test(importsOf(source).join()) || /'(better-sqlite3|mysql2.*)'/.test(source.text),
      )
      .map(({ file }) => file);
    expect(naming).toEqual([]);
  });

  it('keeps files within their ceilings', () => {
    const long = files
      .filter(({ file, text }) => text.split('\n').length > (/\.test\.ts$/.test(file) ? 600 : 400))
      .map(({ file }) => file);
    expect(long.filter((file) => !file.includes('test-support'))).toEqual([]);
  });
});
