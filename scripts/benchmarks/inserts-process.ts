import { openFile } from '../../services/kit/store/sqlite/schema.ts';
import type { SqlValue } from '../../services/kit/table.ts';
import { projection } from '../../services/posts/projection.ts';
import { replayEvents } from './replay-events.ts';

/** Inserts the rows that the replay ends with into the same tables: prepared, from memory, 1,000 a transaction. */
export interface InsertsOptions {
  store: string;
  events: number;
}

export interface InsertsResult {
  seconds: number;
}

const TRANSACTION = 1000;

const options = JSON.parse(process.argv[2] ?? '') as InsertsOptions;
const db = openFile({ file: options.store, projection, logIdentity: '', partitions: {}, indexesLater: true });
const inserts = new Map(
  [...projection.tables.values()].map(({ name, columns }) => [
    name,
    db.prepare(`INSERT INTO "${name}" VALUES (${columns.map(() => '?').join()})`),
  ]),
);
const rows: { insert: import('better-sqlite3').Statement; values: SqlValue[] }[] = [];
for (const { topic, data } of replayEvents(options.events)) {
  const table = projection.tables.get(topic);
  const insert = inserts.get(topic);
  if (table && insert) rows.push({ insert, values: table.values({ ...data }) });
}
const insertSome = db.transaction((from: number, to: number) => {
  for (let i = from; i < to; i++) {
    const row = rows[i] as (typeof rows)[number];
    row.insert.run(row.values);
  }
});
const started = performance.now();
for (let from = 0; from < rows.length; from += TRANSACTION) {
  insertSome.immediate(from, Math.min(from + TRANSACTION, rows.length));
}
const result: InsertsResult = { seconds: (performance.now() - started) / 1000 };
db.close();
process.stdout.write(`${JSON.stringify(result)}\n`);
