import { join } from 'node:path';
import { Doorbell, openSqliteLog, relayDoorbell, type SqliteLog, topicsFor } from '../log/index.ts';
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
