import { existsSync } from 'node:fs';
import { EMITTER } from '../../cdc/index.ts';
import type { EventLog } from '../../log/index.ts';
import { cliFault } from '../errors.ts';
import { logFile } from './places.ts';
import type { Config } from './schema.ts';

/** A file was filled from the stream itself, whose positions do not compare with those of a connector. */
const NEW_LOG =
  'A log keeps its source: begin a new one. Choose another `data` folder and a new `log.prefix` (for stores on a server also a new `services.store.prefix`), then banyan connector apply, banyan up, and for each domain banyan etl and banyan switch; or go back to the former `source.kind`';

/** @throws BNY-CLI-REFUSED when what a file holds cannot be gone on with after a copy */
export function refuseOtherSource(config: Pick<Config, 'source' | 'data'>): void {
  if (config.source.kind !== 'debezium') return;
  const found = `${logFile(config)}, filled from another source than \`source.kind\` debezium`;
  throw cliFault('BNY-CLI-REFUSED', { found, needed: 'a log of the same source', cure: NEW_LOG });
}

/** Whether a log lies in the data folder that may not have been copied yet. */
export function mayForget({ log, data }: Pick<Config, 'log' | 'data'>): boolean {
  return log.kind !== 'sqlite' && existsSync(logFile({ data }));
}

/**
 * An empty log beside a full one would be a new beginning: whoever asked it for its identity, or posted to it, would
 * make it one that nothing can be copied to any more. The copy hands the checkpoint over last.
 *
 * @throws BNY-CLI-REFUSED when there is a log in the data folder whose events `log` lacks; `openOld` opens it
 */
export async function refuseForgotten(config: Config, log: EventLog, openOld: () => EventLog): Promise<void> {
  if (!mayForget(config) || (await log.checkpoint(EMITTER)) || !(await isFilled(openOld()))) return;
  throw cliFault('BNY-CLI-REFUSED', {
    found: `${logFile(config)}, and a log in the configuration without anything of it`,
    needed: 'one log',
    cure:
      config.source.kind === 'debezium' ? NEW_LOG : 'banyan log copy --to kafka; or move the file away to begin anew',
  });
}

/** One in which no emitter has ever appended holds nothing of the monolith. */
async function isFilled(log: EventLog): Promise<boolean> {
  try {
    return (await log.checkpoint(EMITTER)) !== undefined;
  } finally {
    await log.close();
  }
}
