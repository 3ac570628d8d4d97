import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { EMITTER } from '../../cdc/index.ts';
import { openSqliteLog } from '../../log/index.ts';
import { type Kafka, startKafka } from '../../scripts/lib/kafka.ts';
import { defineProcessor } from '../../services/kit/index.ts';
import { readDeadLetters } from '../../services/kit/processor/dead-letters.ts';
import { readProgress, standOf, writerOf } from '../../services/kit/processor/progress.ts';
import { ProcessorBed } from '../../services/kit/processor/test-support.ts';
import { NOTES, notes, until } from '../../services/kit/projector/test-support.ts';
import { copyLog, openLog, refuseUncopied, topicsOf } from './adapters.ts';
import { logFile } from './places.ts';
import { type Config, configSchema } from './schema.ts';

let folder: string;
let kafka: Kafka;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-copy-'));
  kafka = await startKafka();
}, 120_000);
afterAll(async () => {
  await kafka?.stop();
  await rm(folder, { recursive: true });
});

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

/** A data folder of its own, and a log of its own on Kafka. */
const configOf = (name: string, more: object = {}): Config =>
  configSchema.parse({
    data: join(folder, name),
    monolith: { url: 'http://127.0.0.1:1', database: { schema: 'none' } },
    domains: [{ ...NOTES, partitions: 4 }],
    processors: [worker],
    log: { kind: 'kafka', brokers: kafka.brokers, prefix: `${name}.` },
    ...more,
  });

const fileLogOf = (config: Config) => openSqliteLog({ file: logFile(config), topics: topicsOf(config) });

it('a log that is copied to Kafka takes the progress of its processors and their dead letters along', async () => {
  const config = configOf('taken');
  {
    await using bed = await ProcessorBed.of(fileLogOf(config));
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
  const log = await openLog(config);
  expect(await standOf(log, worker)).toEqual({ lag: 0, dead: 12 });
  const checkpoint = await log.checkpoint(writerOf('worker', { topic: 'notes', partition: 0 }));
  expect(readProgress(checkpoint?.state)?.cursor.id).toMatch(/^e\d/);
  expect((await readDeadLetters(log, 'worker')).open.size).toBe(12);
  await log.close();
}, 120_000);

const copy = (config: Config) => copyLog(config, () => undefined, new AbortController().signal);

it('until it is copied nobody gets at the new log, whom it would give an identity of its own', async () => {
  const config = configOf('waiting');
  const from = fileLogOf(config);
  const beforeAnything = await openLog(config);
  await beforeAnything.close();
  const writer = await from.writer(EMITTER);
  await writer.append(notes(1, 3), {});
  const refused = { code: 'BNY-CLI-REFUSED', cure: expect.stringContaining('banyan log copy --to kafka') };
  await expect(openLog(config).then((log) => log.identity())).rejects.toMatchObject(refused);
  await expect(refuseUncopied(config)).rejects.toMatchObject(refused);
  expect((await copy(config)).events).toBe(3);
  const to = await openLog(config);
  expect(await to.identity()).toBe(await from.identity());
  await Promise.all([from.close(), to.close()]);
}, 120_000);

it('a target that has got an identity of its own is refused with what to do about it', async () => {
  const config = configOf('own');
  const to = await openLog(config);
  await to.identity();
  await to.close();
  await fileLogOf(config).close();
  const cure = expect.stringMatching(/another `log.prefix`.*delete its topics.*own\. before each name/);
  await expect(copy(config)).rejects.toMatchObject({ code: 'BNY-LOG-ANOTHER', cure });
}, 120_000);

it('a log of another source is not copied: everybody says how to begin a new one', async () => {
  const config = configOf('changed', { source: { kind: 'debezium', connectUrl: 'http://127.0.0.1:1' } });
  const from = fileLogOf(config);
  await (await from.writer(EMITTER)).append(notes(1, 3), {});
  await from.close();
  const cure = expect.stringMatching(/another `data` folder.*`log.prefix`.*banyan connector apply.*banyan etl/);
  for (const refuse of [openLog, refuseUncopied, copy]) {
    await expect(refuse(config)).rejects.toMatchObject({ code: 'BNY-CLI-REFUSED', cure });
  }
}, 120_000);
