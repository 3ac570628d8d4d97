import { cdcFault } from '../errors.ts';
import type { CapturedTables, Source } from '../types.ts';
import { checkBinlog } from './check.ts';
import { Head } from './head.ts';
import { type BinlogSourceOptions, settingsOf } from './options.ts';
import { readBinlog } from './read.ts';

/** The source that reads MariaDB's binlog itself. */
export function openBinlogSource(options: BinlogSourceOptions): Source {
  const settings = settingsOf(options);
  for (const tables of [settings.tables, settings.alsoFollow?.tables ?? {}]) refuseHiddenKeys(tables);
  const head = new Head(settings);
  const closed = new AbortController();
  return {
    check: () => checkBinlog(settings),
    read: (from, signal) => readBinlog(settings, from, AbortSignal.any([signal, closed.signal])),
    head: () => head.position(),
    async close() {
      closed.abort();
      head.close();
    },
  };
}

function refuseHiddenKeys(tables: CapturedTables): void {
  for (const [table, { key, derived = [], excluded = [] }] of Object.entries(tables)) {
    const hidden = key.filter((name) => derived.includes(name) || excluded.includes(name));
    if (key.length > 0 && hidden.length === 0) continue;
    throw cdcFault('BNY-CDC-SETTINGS', {
      found:
        hidden.length > 0
          ? `key column ${hidden.join(', ')} of ${table} left out of its rows`
          : `${table} without a key`,
      needed: 'a key whose columns are neither derived nor excluded',
    });
  }
}
