import type { Connection } from 'mysql2/promise';
import { median, spread } from '../lib/statistics.ts';
import { Shop } from './shop/shop.ts';
import { insertRows } from './shop/tables.ts';
import { atLeast, type Benchmark } from './types.ts';

const RUNS = 3;
const ROWS_AT_ONCE = 1000;

/** What the triggers cost a monolith that writes: one row a transaction, and many rows a statement. */
export const fence: Benchmark = async ({ workshop, quick, say }) => {
  const shop = await Shop.open(workshop);
  const { connection } = shop;
  const sizes = quick ? { single: 1000, many: 20_000 } : { single: 20_000, many: 400_000 };
  // Not the disk is measured: a commit that is flushed takes as long as twenty triggers.
  await connection.query('SET GLOBAL innodb_flush_log_at_trx_commit = 0');
  await shop.logged();
  await connection.query('SET GLOBAL sync_binlog = 0');
  const measured = { single: { bare: [], fenced: [] }, many: { bare: [], fenced: [] } } as Record<
    'single' | 'many',
    Record<'bare' | 'fenced', number[]>
  >;
  for (let run = 1; run <= RUNS; run++) {
    // In turns, so that what else the machine does meets both.
    for (const how of ['bare', 'fenced'] as const) {
      await shop.banyan('fence', 'fence', how === 'bare' ? 'remove' : 'install', 'orders', '--yes');
      for (const [what, perTransaction] of [
        ['single', 1],
        ['many', ROWS_AT_ONCE],
      ] as const) {
        measured[what][how].push(await rate(connection, sizes[what], perTransaction));
      }
      say(`run ${run}, ${how}: ${Math.round(measured.single[how].at(-1) ?? 0)} inserts/s one by one`);
    }
  }
  const row = (what: 'single' | 'many', name: string, bar: number | null) => {
    const reference = { name: 'without the fence', value: median(measured[what].bare) };
    return atLeast(bar, { name, value: median(measured[what].fenced), unit: 'rows/s', reference });
  };
  return {
    rows: [row('single', 'inserts one by one', 0.6), row('many', `inserts ${ROWS_AT_ONCE} at once`, null)],
    notes: [
      `${sizes.single} and ${sizes.many} rows a run; medians of ${RUNS} runs, with and without in turns; commits not flushed`,
      ...(['single', 'many'] as const).map(
        (what) => `${what}: ${spread(measured[what].fenced)} with it, ${spread(measured[what].bare)} without`,
      ),
    ],
  };
};

async function rate(connection: Connection, rows: number, perTransaction: number): Promise<number> {
  await connection.query('DELETE FROM orders');
  const started = performance.now();
  await insertRows(connection, 'orders', 1, rows, perTransaction);
  return (rows / (performance.now() - started)) * 1000;
}
