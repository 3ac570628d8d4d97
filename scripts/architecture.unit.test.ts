import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/** Where an adapter may be named: in the adapters, and where they are chosen. */
const ADAPTERS =
  /^(cdc\/(binlog|debezium)|log\/(kafka|sqlite|memory)|services\/kit\/store\/(sqlite|mysql)|cli\/config)\/|^cli\/connector\.ts$/;
const NAMES = /kafka|sqlite|debezium|binlog|mysql/gi;
/** Where else, and why. */
const NAMED: readonly { where: RegExp; what: RegExp; why: string }[] = [
  { where: /^(cdc|etl|cli)\//, what: /binlog|mysql/i, why: "the monolith's database is one that has a binlog" },
  { where: /^log\/index\.ts$/, what: /kafka|sqlite/i, why: 'the entrance, through which the adapters are reached' },
  { where: /^log\/partition\.ts$/, what: /kafka/i, why: 'where the hash comes from that places the keys' },
  { where: /^cli\/errors\.ts$/, what: /kafka|sqlite|debezium/i, why: 'gathers every catalogue' },
  { where: /^services\/kit\/given\.ts$/, what: /sqlite/, why: 'specifications of domains run in memory' },
  { where: /^cli\/log\.ts$/, what: /kafka|sqlite/i, why: '`--to` and its examples speak as the configuration does' },
];

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

  it('names no adapter in code or texts outside of the adapters', () => {
    const named = product
      .filter(({ file }) => folderOf(file, LAYERS) && !ADAPTERS.test(file))
      .flatMap(({ file, text }) => [...text.matchAll(NAMES)].map(([name]) => ({ file, name })));
    const isAllowed = ({ file, name }: (typeof named)[number], { where, what }: (typeof NAMED)[number]) =>
      where.test(file) && what.test(name);
    expect(named.filter((each) => !NAMED.some((place) => isAllowed(each, place)))).toEqual([]);
    expect(NAMED.filter((place) => !named.some((each) => isAllowed(each, place)))).toEqual([]);
  });

  it('keeps files within their ceilings', () => {
    const long = files
      .filter(({ file, text }) => text.split('\n').length > (/\.test\.ts$/.test(file) ? 600 : 400))
      .map(({ file }) => file);
    expect(long).toEqual([]);
  });
});
