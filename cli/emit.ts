import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { EmitterDatabase } from '../cdc/emitter/database.ts';
import { emit, signOff } from '../cdc/emitter/emitter.ts';
import { connectForSeed } from '../etl/connect.ts';
import { EtlSeeder } from '../etl/seeder.ts';
import { BanyanError, type EventLog } from '../log/index.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { openLog, openSource } from './config/adapters.ts';

export function registerEmit(program: Command): void {
  const command = program
    .command('emit')
    .description('Run the emitter: changes of the monolith become events in the log');
  handle(standard(command, ['banyan emit']), runEmitter);
}

const RETRY_MS = [200, 500, 1000, 2000, 5000];

async function runEmitter(context: Context): Promise<number> {
  const { config } = context;
  const log = await openLog(config, { writerThread: true });
  try {
    // One that has never answered is more likely at a wrong address than away: no retry would cure that.
    await log.identity();
    await sessions(context, log);
    return EXIT.done;
  } finally {
    await log.close();
  }
}

/** One after the other, until the emitter is stopped or meets what no retry can cure. */
async function sessions(context: Context, log: EventLog): Promise<void> {
  const { signal, logger } = context;
  const instance = `emitter-${randomUUID().slice(0, 8)}`;
  let failures = 0;
  while (!signal.aborted) {
    const started = Date.now();
    try {
      await session(context, log, instance);
    } catch (error) {
      if (signal.aborted) break;
      if (!isPassing(error)) {
        await signOff(log, instance, error).catch((failure: unknown) =>
          logger.error({ error: failure }, 'the log takes no sign-off'),
        );
        throw error;
      }
      failures = Date.now() - started > 30_000 ? 0 : failures + 1;
      logger.warn({ error, failures }, 'emitter interrupted; going on from the checkpoint');
      await sleep(RETRY_MS[Math.min(failures, RETRY_MS.length) - 1] ?? 200, undefined, { signal }).catch(
        () => undefined,
      );
    }
  }
  await signOff(log, instance, undefined);
}

async function session({ config, signal, logger }: Context, log: EventLog, instance: string): Promise<void> {
  const database = await EmitterDatabase.open(
    { ...config.monolith.database, banyanSchema: config.monolith.banyanSchema },
    signal,
    logger,
  );
  if (!database) return;
  const source = openSource(config, logger);
  try {
    const { schema } = config.monolith.database;
    const { banyanSchema } = config.monolith;
    const { throttleQuery } = config.etl;
    const connect = () => connectForSeed(config.monolith.database);
    await emit(
      {
        log,
        source,
        domains: config.domains,
        seeder: new EtlSeeder({ log, domains: config.domains, schema, banyanSchema, throttleQuery, connect, logger }),
        beat: () => database.beat(),
        ownTables: {
          heartbeat: `${banyanSchema}.heartbeat`,
          watermark: `${banyanSchema}.watermark`,
          ownership: `${banyanSchema}.ownership`,
        },
        heartbeatIntervalMs: config.emitter.heartbeatMs,
        instance,
        logger,
      },
      signal,
    );
  } finally {
    database.close();
    await source.close();
  }
}

/** What passes by itself: lost connections, locks, and what Banyan's own errors call so. */
const PASSING =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|PROTOCOL_|ER_(LOCK_|QUERY_INTERRUPTED|CONNECTION_KILLED|SERVER_SHUTDOWN|CON_COUNT|NORMAL_SHUTDOWN))/;

function isPassing(error: unknown): boolean {
  if (BanyanError.is(error)) return error.retryable;
  const { code, message, fatal } = error as { code?: unknown; message?: unknown; fatal?: unknown };
  // mysql2 gives a closed connection no code of its own.
  return fatal === true || (typeof code === 'string' && PASSING.test(code)) || /closed state/.test(String(message));
}
