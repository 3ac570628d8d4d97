import { readFileSync } from 'node:fs';
import { type ConfigKey, configKeys } from '../../cli/config/keys.ts';
import { grantsFor } from '../../services/kit/store/mysql/grants.ts';
import { markdownTable } from './markdown-table.ts';

export function configurationPage(): string {
  const template = readFileSync(new URL('./configuration.template.md', import.meta.url), 'utf8');
  const rows = configKeys().map((key) => [
    `\`${key.path.join('.')}\``,
    key.type,
    withoutIt(key),
    key.variable === undefined ? '–' : `\`${key.variable}\``,
    key.meaning,
  ]);
  const account = { user: 'banyan_stores', password: '…', prefix: 'banyan_' };
  const grants = grantsFor(account).map((sql) => `${sql};`);
  return template
    .replace('@@keys', () => markdownTable(['key', 'type', 'default', 'variable', 'meaning'], rows))
    .replace('@@grants', () => grants.join('\n'));
}

function withoutIt({ required, default: value }: ConfigKey): string {
  if (required) return '(needed)';
  return value === undefined || value === '' ? '–' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
