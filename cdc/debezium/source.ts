import type { Source } from '../types.ts';
import { checkDebezium } from './check.ts';
import type { DebeziumOptions } from './options.ts';
import { formatPosition } from './position.ts';
import { readTopic } from './read.ts';
import { Server } from './server.ts';

/** The source that reads what Debezium's connector for MariaDB writes to Kafka. */
export function openDebeziumSource(options: DebeziumOptions): Source {
  const server = new Server(options.connection);
  const closed = new AbortController();
  return {
    check: () => checkDebezium(options),
    read: (from, signal) => readTopic(options, from, AbortSignal.any([signal, closed.signal])),
    head: async () => formatPosition(await server.newest()),
    async close() {
      closed.abort();
      server.close();
    },
  };
}
