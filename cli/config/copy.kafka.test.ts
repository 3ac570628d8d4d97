import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { EMITTER } from '../../cdc/index.ts';
import { openSqliteLog } from '../../log/index.ts';
import { startKafka } from '../../scripts/lib/kafka.ts';
import { defineProcessor } from '../../services/kit/index.ts';
import { readDeadLetters } from '../../services/kit/processor/dead-letters.ts';
import { readProgress, standOf, writerOf } from '../../services/kit/processor/progress.ts';
import { ProcessorBed } from '../../services/kit/processor/test-support.ts';
import { NOTES, notes, until } from '../../services/kit/projector/test-support.ts';
import { copyLog, openLog, topicsOf } from './adapters.ts';
import { logFile } from './places.ts';
import { type Config, configSchema } from './schema.ts';

it('a log that is copied to Kafka takes the progress of its processors and their dead letters along', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-copy-'));
  const kafka = await startKafka();
  const worker = defineProcessor({
    name: 'worker',
    topics: [NOTES.events],
    from: 'beginning',
    retries: 0,
    handlers: {
      NoteWritten() {
        throw new Error('broken');
      },
    },
  });
  const config: Config = configSchema.parse({
    data: folder,
    monolith: { url: 'http://127.0.0.1:1', database: { schema: 'none' } },
    domains: [{ ...NOTES, partitions: 4 }],
    processors: [worker],
    log: { kind: 'kafka', brokers: kafka.brokers },
  });
  {
    await using bed = await ProcessorBed.of(openSqliteLog({ file: logFile(config), topics: topicsOf(config) }));
    const writer = await bed.log.writer(EMITTER);
    await writer.append(
      notes(1, 12).map((event) => ({ ...event, key: event.id })),
      {},
    );
    const first = bed.start(worker);
    await until(async () => (await standOf(bed.log, worker)).lag === 0);
    await first.end();
  }
  await copyLog(config, () => undefined, new AbortController().signal);
  const log = openLog(config);
  expect(await standOf(log, worker)).toEqual({ lag: 0, dead: 12 });
  const checkpoint = await log.checkpoint(writerOf('worker', { topic: 'notes', partition: 0 }));
  expect(readProgress(checkpoint?.state)?.cursor.id).toMatch(/^e\d/);
  expect((await readDeadLetters(log, 'worker')).open.size).toBe(12);
  await log.close();
  await kafka.stop();
  await rm(folder, { recursive: true });
}, 120_000);
