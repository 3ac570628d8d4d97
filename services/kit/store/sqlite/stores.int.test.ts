import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { testStores } from '../contract.ts';
import { openSqliteStores } from './stores.ts';

testStores('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-stores-'));
  const pathOf = (name: string) => join(folder, `things.${name}.sqlite`);
  return {
    open: (origin) => openSqliteStores({ pathOf, ...origin }),
    async sql(store, text) {
      const db = new Database(pathOf(store));
      db.exec(
        text.replace('FOR EACH ROW @REFUSE@', "WHEN NEW.name = 'broken' BEGIN SELECT RAISE(ABORT, 'refused'); END"),
      );
      db.close();
    },
    traces: async () => (await readdir(folder)).sort(),
    dispose: () => rm(folder, { recursive: true }),
  };
});
