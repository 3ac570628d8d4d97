import { cdcFault } from '../errors.ts';
import { KeptConnection } from '../kept-connection.ts';
import type { CapturedTables, Source } from '../types.ts';
import { checkBinlog } from './check.ts';
import { type BinlogSourceOptions, settingsOf } from './options.ts';
import { formatPosition } from './position.ts';
import { readBinlog } from './read.ts';
import { masterStatus } from './server.ts';

/** The source that reads MariaDB's binlog itself. */
export function openBinlogSource(options: BinlogSourceOptions): Source {
  const settings = settingsOf(options);
  for (const tables of [settings.tables, settings.alsoFollow?.tables ?? {}]) refuseHiddenKeys(tables);
  const server = new KeptConnection(settings.connection);
  const closed = new AbortController();
  return {
    check: () => checkBinlog(settings),
    read: (from, signal) => readBinlog(settings, from, AbortSignal.any([signal, closed.signal])),
    async head() {
      const { file, offset } = await server.ask(masterStatus);
      return formatPosition(file, offset);
    },
    async close() {
      closed.abort();
      server.close();
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
