import type { SeedChunk, Seeder } from '../cdc/emitter/seeder.ts';
import { type CapturedDomain, type Change, EMITTER, type Row, type SeedProgress } from '../cdc/index.ts';
import { type EventLog, latestEvent } from '../log/index.ts';
import { Rate } from './rate.ts';
import { Run, type RunOptions } from './run.ts';

export interface SeederOptions extends Omit<RunOptions, 'domain' | 'tables' | 'progress'> {
  log: EventLog;
  domains: readonly CapturedDomain[];
}

const REPORT_MS = 500;

/** The ETL as the emitter sees it: one run a domain. */
export class EtlSeeder implements Seeder {
  readonly #options: SeederOptions;
  readonly #runs = new Map<string, { run: Run; stopReports: () => void }>();

  constructor(options: SeederOptions) {
    this.#options = options;
  }

  start(domain: string, progress: SeedProgress): void {
    this.stop(domain);
    const tables = this.#options.domains.find(({ name }) => name === domain)?.tables;
    if (!tables) return;
    const run = new Run({ ...this.#options, domain, tables, progress });
    this.#runs.set(domain, { run, stopReports: this.#reportRegularly(domain, run) });
  }

  tune(domain: string, progress: SeedProgress): void {
    this.#runs.get(domain)?.run.tune(progress);
  }

  stop(domain: string): void {
    const known = this.#runs.get(domain);
    known?.run.stop();
    known?.stopReports();
    this.#runs.delete(domain);
  }

  onChange(change: Change, emitted: boolean): void {
    for (const { run } of this.#runs.values()) run.change(change, emitted);
  }

  onDefinitionChange(table: string): void {
    for (const { run } of this.#runs.values()) run.definitionChanged(table);
  }

  onWatermark(row: Row): SeedChunk | undefined {
    const domain = String(row['domain']);
    const chunk = this.#runs.get(domain)?.run.watermark(String(row['chunk']), String(row['edge']));
    if (chunk?.lastTable) this.stop(domain);
    return chunk;
  }

  #reportRegularly(domain: string, run: Run): () => void {
    const rate = new Rate();
    const timer = setInterval(() => {
      const { table, rows, estimate, state, reason } = run.status;
      const report = { domain, run: run.run, table, rows, estimate, rowsPerSecond: rate.next(rows), state, reason };
      this.#options.log.post([latestEvent('EtlProgress', `etl:${domain}`, report, EMITTER)]).catch((error: unknown) => {
        this.#options.logger.warn({ error }, 'progress could not be told');
      });
    }, REPORT_MS);
    return () => clearInterval(timer);
  }
}
