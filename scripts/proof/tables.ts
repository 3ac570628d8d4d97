import { Translator } from '../../cdc/emitter/translate.ts';
import { describeTable } from '../../cdc/values/describe.ts';
import { compileSelect, quoteName } from '../../cdc/values/select.ts';
import { openLog, openStores } from '../../cli/config/adapters.ts';
import type { Config } from '../../cli/config/schema.ts';
import { connectForSeed } from '../../etl/connect.ts';
import { type Cursors, type LoggedEvent, type NewEvent, START } from '../../log/index.ts';
import type { Domain } from '../../services/kit/index.ts';
import { EventApplier } from '../../services/kit/projection.ts';
import { Fold } from '../../services/kit/store/fold.ts';
import type { Difference, Store } from '../../services/kit/store/types.ts';
import type { Mariadb } from '../lib/mariadb.ts';

/** Of a store that this file makes and removes. */
const EXPECTED = 'expected';
const NOWHERE = { position: '', domains: {} };

/**
 * What a domain's store would be if it were built from the monolith's tables as they stand now. At rest the live store
 * must be exactly that: this compares through the projection, but without log, stream or ETL.
 */
export async function differsFromTables(
  domain: Domain,
  config: Config,
  mariadb: Mariadb,
  live: string,
): Promise<Difference[]> {
  const log = await openLog(config);
  const stores = openStores(config, domain, await log.identity().finally(() => log.close()));
  const lease = await stores.lease(EXPECTED);
  if (!lease) throw new Error(`somebody else compares ${domain.name}`);
  try {
    await lease.clear();
    await buildFromTables(await lease.open(), domain, config.domains, mariadb);
    const frozen = await stores.freeze(live, 'proof');
    return await frozen.differences(EXPECTED).finally(() => frozen.close());
  } finally {
    await lease.clear();
    await lease.release();
  }
}

async function buildFromTables(
  store: Store,
  { projection }: Domain,
  all: readonly Domain[],
  mariadb: Mariadb,
): Promise<void> {
  const translator = new Translator(all);
  let cursors: Cursors = await store.cursors();
  for (const topic of projection.topics) {
    const tables = all.find(({ name }) => name === topic)?.tables ?? {};
    for (const [table, captured] of Object.entries(tables)) {
      const fold = new Fold();
      const applier = new EventApplier(projection, fold);
      for (const row of await readTable(mariadb, table, captured)) {
        for (const event of translator.seed(row, 'proof', NOWHERE, new Date(0).toISOString()))
          applier.apply(logged(event));
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
