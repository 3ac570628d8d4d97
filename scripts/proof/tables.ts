import { join } from 'node:path';
import { Translator } from '../../cdc/emitter/translate.ts';
import { describeTable } from '../../cdc/values/describe.ts';
import { compileSelect, quoteName } from '../../cdc/values/select.ts';
import { connectForSeed } from '../../etl/connect.ts';
import { type Cursors, type LoggedEvent, type NewEvent, START } from '../../log/index.ts';
import type { Domain } from '../../services/kit/index.ts';
import { EventApplier } from '../../services/kit/projection.ts';
import { Fold } from '../../services/kit/store/fold.ts';
import { differences, removeStore, SqliteStore } from '../../services/kit/store/sqlite/store.ts';
import type { Difference } from '../../services/kit/store/types.ts';
import type { Mariadb } from '../lib/mariadb.ts';

/**
 * What a domain's store would be if it were built from the monolith's tables as they stand now. At rest the live store
 * must be exactly that: this compares through the projection, but without log, stream or ETL.
 */
export async function differsFromTables(
  domain: Domain,
  all: readonly Domain[],
  mariadb: Mariadb,
  liveFile: string,
): Promise<Difference[]> {
  const file = join(liveFile, '..', `${domain.name}.expected.sqlite`);
  const { projection } = domain;
  await removeStore(file);
  try {
    await buildFromTables(file, domain, all, mariadb);
    return differences(file, liveFile, projection);
  } finally {
    await removeStore(file);
  }
}

async function buildFromTables(
  file: string,
  { projection }: Domain,
  all: readonly Domain[],
  mariadb: Mariadb,
): Promise<void> {
  const store = new SqliteStore({ file, projection, logIdentity: 'tables', partitions: {} });
  const translator = new Translator(all);
  let cursors: Cursors = await store.cursors();
  for (const topic of projection.topics) {
    const tables = all.find(({ name }) => name === topic)?.tables ?? {};
    for (const [table, captured] of Object.entries(tables)) {
      const fold = new Fold();
      const applier = new EventApplier(projection, fold);
      for (const row of await readTable(mariadb, table, captured)) {
        for (const event of translator.seed(row, 'proof', '', new Date(0).toISOString())) applier.apply(logged(event));
      }
      const after = { ...cursors, [topic]: [{ offset: (cursors[topic]?.[0] ?? START).offset + 1, id: table }] };
      await store.commit(fold, cursors, after);
      cursors = after;
    }
  }
  await store.close();
}

async function readTable(mariadb: Mariadb, table: string, captured: Domain['tables'][string]) {
  const connection = await connectForSeed(mariadb);
  try {
    const description = await describeTable(connection, 'monolith', table);
    if (!description) throw new Error(`no table ${table}`);
    const select = compileSelect(description, captured);
    const [rows] = await connection.query(`SELECT ${select.list} FROM monolith.${quoteName(table)}`);
    return (rows as unknown[][]).map((values) => {
      const after = select.row(values);
      return { table, kind: 'seed' as const, key: select.key(after), after };
    });
  } finally {
    connection.destroy();
  }
}

function logged(event: NewEvent): LoggedEvent {
  return { ...event, partition: 0, offset: 0, sequence: 0 };
}
