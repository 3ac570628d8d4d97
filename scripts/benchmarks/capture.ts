import { cpSync } from 'node:fs';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { median, spread } from '../lib/statistics.ts';
import { LogWatch } from './shop/log-watch.ts';
import { Shop } from './shop/shop.ts';
import { insertRows } from './shop/tables.ts';
import { atLeast, type Benchmark, type Setting } from './types.ts';
import type { ZongjiOptions, ZongjiResult } from './zongji-process.ts';

const ROWS_A_TRANSACTION = 100;

/** An emitter that catches up with a backlog in the binlog, beside zongji that only counts the same rows. */
export const capture: Benchmark = async (setting) => {
  const { workshop, quick, say } = setting;
  const rows = quick ? 20_000 : 200_000;
  const shop = await Shop.open(workshop);
  const { part, watch } = await shop.emitter('start');
  await part.stop();
  await watch.close();
  await shop.logged();
  const from = await binlogEnd(shop.connection);
  say(`writing ${rows} rows`);
  await insertRows(shop.connection, 'orders', 1, rows, ROWS_A_TRANSACTION);
  const to = await binlogEnd(shop.connection);
  const bare: number[] = [];
  const captured: number[] = [];
  const cpu: number[] = [];
  for (let run = 1; run <= 3; run++) {
    const { seconds } = await countRows(setting, shop, { ...from, rows });
    bare.push(rows / seconds);
    const result = await catchUp(setting, shop, `run-${run}`, rows);
    captured.push(result.rate);
    cpu.push(result.cpuMicroseconds);
    say(`run ${run}: ${Math.round(result.rate)} changes/s, zongji ${Math.round(bare.at(-1) ?? 0)} rows/s`);
  }
  const reference = { name: 'bare zongji', value: median(bare) };
  const size = from.file === to.file ? `${Math.round((to.position - from.position) / rows)} B` : 'unknown size';
  return {
    rows: [atLeast(0.35, { name: 'changes into the log', value: median(captured), unit: 'changes/s', reference })],
    notes: [
      `${rows} inserts, ${ROWS_A_TRANSACTION} a transaction, ${size} of binlog a row; medians of 3 runs`,
      `captured ${spread(captured)} changes/s; zongji ${spread(bare)} rows/s`,
      `CPU of the emitter's process: ${median(cpu).toFixed(1)} µs a change`,
      'beside Debezium: `scripts/bench kafka`',
    ],
  };
};

interface BinlogEnd {
  file: string;
  position: number;
}

export async function binlogEnd(connection: Connection): Promise<BinlogEnd> {
  const [rows] = await connection.query<RowDataPacket[]>('SHOW MASTER STATUS');
  return { file: String(rows[0]?.['File']), position: Number(rows[0]?.['Position']) };
}

async function countRows(
  { workshop }: Setting,
  { mariadb }: Shop,
  { file, position, rows }: BinlogEnd & { rows: number },
): Promise<ZongjiResult> {
  const { host, port, user, password } = mariadb;
  const options: ZongjiOptions = { connection: { host, port, user, password }, file, position, rows };
  const part = workshop.node('scripts/benchmarks/zongji-process.ts', [JSON.stringify(options)]);
  const result = await part.answer<ZongjiResult>();
  await part.stop();
  return result;
}

/** From the first append of the backlog that is seen to the last. */
export async function catchUp({ workshop }: Setting, shop: Shop, data: string, rows: number) {
  cpSync(workshop.path('start'), workshop.path(data), { recursive: true });
  const watch = new LogWatch(workshop.path(data, 'log.sqlite'));
  const part = shop.startEmitter(data);
  const { first, last } = await watch.growth(part, 'orders', rows);
  await part.stop();
  watch.verify('orders', rows);
  await watch.close();
  const changes = last.count - first.count;
  return {
    rate: (changes / (last.at - first.at)) * 1000,
    cpuMicroseconds: ((last.cpuSeconds - first.cpuSeconds) / changes) * 1e6,
  };
}
