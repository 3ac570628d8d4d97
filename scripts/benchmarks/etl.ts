import { median, spread } from '../lib/statistics.ts';
import { isInstalled, usageOf } from './machine.ts';
import { Shop } from './shop/shop.ts';
import { bytesPerRow, insertRows } from './shop/tables.ts';
import { atLeast, type Benchmark, type Setting } from './types.ts';

/** `banyan etl` of one table, from the request to the record that it is seeded, beside a dump of the same table. */
export const etl: Benchmark = async (setting) => {
  const { workshop, quick, say } = setting;
  const rows = quick ? 30_000 : 300_000;
  const shop = await Shop.open(workshop);
  say(`filling ${rows} rows`);
  await insertRows(shop.connection, 'orders', 1, rows, 10_000);
  await shop.logged();
  const size = await bytesPerRow(shop.connection, 'orders');
  const seeds: number[] = [];
  const dumps: number[] = [];
  const cpu: number[] = [];
  let eventBytes = 0;
  for (let run = 1; run <= 3; run++) {
    dumps.push(rows / (await dump(setting, shop)));
    const { part, watch } = await shop.emitter(`run-${run}`);
    const before = usageOf(part.pid);
    await shop.banyan(`run-${run}`, 'etl', 'orders', '--yes');
    const after = usageOf(part.pid);
    await part.stop();
    const [asked = 0, seeded = 0] = await watch.times('EtlRequested', 'DomainSeeded');
    watch.verify('orders', rows);
    eventBytes = watch.bytesPerEvent('orders');
    seeds.push((rows / (seeded - asked)) * 1000);
    cpu.push(((after.cpuSeconds - before.cpuSeconds) / rows) * 1e6);
    say(`run ${run}: ${Math.round(seeds.at(-1) ?? 0)} rows/s, dump ${Math.round(dumps.at(-1) ?? 0)} rows/s`);
  }
  const reference = { name: 'mariadb-dump to /dev/null', value: median(dumps) };
  return {
    rows: [atLeast(0.2, { name: 'rows of a table into the log', value: median(seeds), unit: 'rows/s', reference })],
    notes: [
      `${rows} rows of ${size} B as InnoDB keeps them, events of ${eventBytes} B; medians of 3 runs`,
      `seeds ${spread(seeds)} rows/s; dumps ${spread(dumps)} rows/s`,
      `CPU of the emitter's process: ${median(cpu).toFixed(1)} µs a row`,
      'beside Debezium: `scripts/bench kafka`',
    ],
  };
};

/** Seconds. */
async function dump({ workshop }: Setting, { mariadb }: Shop): Promise<number> {
  const program = isInstalled('mariadb-dump') ? 'mariadb-dump' : 'mysqldump';
  const { host, port, user } = mariadb;
  const where = ['--no-defaults', `--host=${host}`, `--port=${port}`, `--user=${user}`, '--protocol=tcp'];
  const how = ['--single-transaction', '--quick', '--skip-lock-tables', '--result-file=/dev/null'];
  const started = performance.now();
  await workshop.start(program, [...where, ...how, 'shop', 'orders']).output();
  return (performance.now() - started) / 1000;
}
