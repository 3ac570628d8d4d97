import ZongJi from '@vlasky/zongji';

/** Counts the rows inserted into the shop's orders from a place in the binlog on, and does nothing with them. */
export interface ZongjiOptions {
  connection: { host: string; port: number; user: string; password: string };
  file: string;
  position: number;
  rows: number;
}

export interface ZongjiResult {
  /** From the first row to the last. */
  seconds: number;
}

const { connection, file, position, rows } = JSON.parse(process.argv[2] ?? '') as ZongjiOptions;
const zongji = new ZongJi(connection);
let started = 0;
let counted = 0;
zongji.on('binlog', (event) => {
  if (event.getEventName() !== 'writerows') return;
  if (started === 0) started = performance.now();
  counted += (event as unknown as { rows: unknown[] }).rows.length;
  if (counted < rows) return;
  const result: ZongjiResult = { seconds: (performance.now() - started) / 1000 };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  zongji.stop();
});
zongji.on('error', (error) => {
  throw error;
});
zongji.start({
  filename: file,
  position,
  serverId: 4_000_000,
  includeEvents: ['tablemap', 'writerows'],
  includeSchema: { shop: ['orders'] },
});
