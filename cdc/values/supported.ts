import type { CapturedTable } from '../types.ts';
import type { ColumnDescription } from './describe.ts';
import { textDecoder } from './text.ts';

export type DeclaredType = NonNullable<CapturedTable['types']>[string];

const TEXT = new Set(['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext']);
const LABELLED = new Set(['enum', 'set']);
/** Types that the binlog cannot tell from BINARY: to be declared. */
const HIDDEN = new Set(['uuid', 'inet4', 'inet6']);
const OTHERS = new Set([
  ...['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'float', 'double', 'bit', 'year'],
  ...['date', 'time', 'datetime', 'timestamp'],
  ...['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob'],
]);
const TEMPORAL_REBUILD = 'ALTER TABLE … FORCE, with mysql56_temporal_format=ON';

export interface Refusal {
  found: string;
  /** More exact than the catalogue's, where there is one. */
  cure?: string;
}

/** Why the values of this column cannot be carried as they are; undefined when they can. */
export function refusal(column: ColumnDescription, declared: DeclaredType | undefined): Refusal | undefined {
  const { name, type, charset } = column;
  if (column.oldTemporal) return { found: `\`${name}\` has the old format of ${type}`, cure: TEMPORAL_REBUILD };
  if (HIDDEN.has(type) || (declared !== undefined && HIDDEN.has(declared))) {
    if (type === declared) return undefined;
    const cure = HIDDEN.has(type) ? `Declare it: types: { ${name}: '${type}' }.` : `Take ${name} out of \`types\`.`;
    return { found: `\`${name}\` is ${type}, declared ${declared ?? 'nothing'}`, cure };
  }
  if (TEXT.has(type) || LABELLED.has(type)) {
    if (charset === undefined || !textDecoder(charset)) return { found: `\`${name}\` has charset ${charset}` };
    if (type === 'set' && labelsOf(column.definition).includes('')) {
      return { found: `\`${name}\` is a SET with an empty label: read as text it looks like no label at all` };
    }
    if (declared === 'json' && !TEXT.has(type)) return { found: `\`${name}\` is ${type}, declared json` };
    return undefined;
  }
  if (declared === 'json') return { found: `\`${name}\` is ${type}, declared json` };
  return OTHERS.has(type) ? undefined : { found: `\`${name}\` is ${type}` };
}

/** `set('a','b')` → a, b. */
function labelsOf(definition: string): string[] {
  return [...definition.matchAll(/'((?:[^']|'')*)'/g)].map(([, label = '']) => label.replaceAll("''", "'"));
}

/** MariaDB's JSON that is captured as mere text because `types` does not name it. */
export function undeclaredJson(column: ColumnDescription, declared: DeclaredType | undefined): Refusal | undefined {
  if (!column.jsonCheck || declared !== undefined) return undefined;
  return {
    found: `\`${column.name}\` is JSON, declared nothing`,
    cure: `Declare it: types: { ${column.name}: 'json' }.`,
  };
}

/** The columns a row consists of: the key's and the declared ones, less the derived and the excluded. */
export function rowColumns({ key, columns, derived = [], excluded = [] }: CapturedTable): string[] {
  const left = new Set([...derived, ...excluded]);
  return [...new Set([...key, ...columns])].filter((name) => !left.has(name));
}
