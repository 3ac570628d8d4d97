import { readFileSync } from 'node:fs';
import { VALUE_CASES } from '../../cdc/values/test-support.ts';
import { markdownTable } from './markdown-table.ts';

/** What a reader can take in: edge cases of character sets and lengths are for the tests. */
const SPECIAL = /CHARACTER SET (?!utf8mb4)|COLLATE|COMPRESSED| AS |INVISIBLE|ZEROFILL|TIME\([1245]\)/;
const LONGEST = 60;
const EXAMPLES = 2;

/** The examples are the cases that the test of the canonical values runs. */
export function valuesPage(): string {
  const template = readFileSync(new URL('./values.template.md', import.meta.url), 'utf8');
  const cases = VALUE_CASES.filter(({ type }) => type.length <= LONGEST && !SPECIAL.test(type));
  const rows = cases.flatMap(({ type, declared, values }) =>
    values
      .map(([sql, canonical]) => [sql, JSON.stringify(canonical)] as const)
      .filter((pair) => pair.every((text) => text.length <= LONGEST && isPlain(text)))
      .slice(0, EXAMPLES)
      .map(([sql, json]) => [code(type), declared ? code(`'${declared}'`) : '', code(sql), code(json)]),
  );
  return template.replace('@@cases', () => markdownTable(['column', 'declared as', 'stored by', 'canonical'], rows));
}

/** Without what no page shows as it is. */
function isPlain(text: string): boolean {
  return !/[\p{Cc}\p{Cf}\p{Co}\ufffd\\`]/u.test(text);
}

function code(text: string): string {
  return `\`${text}\``;
}
