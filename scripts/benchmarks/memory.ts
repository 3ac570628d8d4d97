import { usageOf } from './machine.ts';
import type { ReplayOptions, ReplayResult } from './replay-process.ts';
import { Shop } from './shop/shop.ts';
import { bytesPerRow, insertRows } from './shop/tables.ts';
import { TOPICS } from './shop/topics.ts';
import { atMost, type Benchmark, type Setting } from './types.ts';

interface Peaks {
  rows: number;
  emitterMb: number;
  projectorMb: number;
}

/** The peak of resident memory while a table is seeded, and while its store is built: the same for a tenfold table. */
export const memory: Benchmark = async (setting) => {
  const { workshop, quick, full, say } = setting;
  if (process.platform !== 'linux') throw new Error('only Linux tells the peak of resident memory');
  const sizes = quick ? [10_000, 100_000] : full ? [100_000, 1_000_000, 10_000_000] : [100_000, 1_000_000];
  const shop = await Shop.open(workshop);
  const peaks: Peaks[] = [];
  let filled = 0;
  for (const rows of sizes) {
    await insertRows(shop.connection, 'readings', filled + 1, rows - filled, 50_000);
    filled = rows;
    const peak = await peaksOf(setting, shop, rows);
    peaks.push(peak);
    say(`${rows} rows: emitter ${Math.round(peak.emitterMb)} MB, projector ${Math.round(peak.projectorMb)} MB`);
  }
  const size = await bytesPerRow(shop.connection, 'readings');
  const [least, ...others] = peaks as [Peaks, ...Peaks[]];
  const held = (name: string, peak: Peaks, of: 'emitterMb' | 'projectorMb') =>
    atMost(1.25, {
      name: `peak of the ${name} with ${peak.rows.toLocaleString('en')} rows`,
      value: peak[of],
      unit: 'MB',
      reference: { name: `with ${least.rows.toLocaleString('en')} rows`, value: least[of] },
    });
  return {
    rows: others.flatMap((peak) => [held('emitter', peak, 'emitterMb'), held('projector', peak, 'projectorMb')]),
    notes: [`rows of ${size} B as InnoDB keeps them; one run each`],
  };
};

async function peaksOf({ workshop }: Setting, shop: Shop, rows: number): Promise<Peaks> {
  const data = `${rows}-rows`;
  const { part, watch } = await shop.emitter(data);
  await shop.banyan(data, 'etl', 'readings', '--yes');
  const emitterMb = usageOf(part.pid).peakRssMb;
  await part.stop();
  watch.verify('readings', rows);
  await watch.close();
  const options: ReplayOptions = {
    log: watch.file,
    topics: TOPICS,
    projection: 'readings',
    store: workshop.path(data, 'store.sqlite'),
  };
  const projector = workshop.node('scripts/benchmarks/replay-process.ts', [JSON.stringify(options)]);
  const { events, peakRssMb } = JSON.parse(await projector.output()) as ReplayResult;
  if (events !== rows) throw new Error(`replayed ${events} events, needed ${rows}`);
  return { rows, emitterMb, projectorMb: peakRssMb };
}
