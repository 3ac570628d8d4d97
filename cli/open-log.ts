import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  ControlFold,
  Doorbell,
  openSqliteLog,
  readControlState,
  relayDoorbell,
  type SqliteLog,
  topicsFor,
} from '../log/index.ts';
import type { Config } from './config/schema.ts';

/** The log of a configuration, its doorbell connected with the other threads and processes. */
export function openLog(config: Config, options: { writerThread?: boolean } = {}): SqliteLog {
  const doorbell = new Doorbell();
  relayDoorbell(doorbell);
  const topics = topicsFor(Object.fromEntries(config.domains.map(({ name, partitions }) => [name, { partitions }])));
  return openSqliteLog({ file: logFile(config), topics, doorbell, ...options });
}

export function logFile(config: Config): string {
  return join(config.data, 'log.sqlite');
}

/** The control state as it stands; of a log that is not there yet nothing. Makes no log. */
export async function controlOf(config: Config): Promise<ControlFold> {
  if (!existsSync(logFile(config))) return new ControlFold();
  const log = openLog(config);
  return readControlState(log).finally(() => log.close());
}
