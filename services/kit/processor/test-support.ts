import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { z } from 'zod';
import {
  type EventLog,
  type LogWriter,
  type NewEvent,
  openMemoryLog,
  openSqliteLog,
  topicsFor,
} from '../../../log/index.ts';
import { defineEvents } from '../events.ts';
import { defineProcessor, type Processor, type ProcessorFiles } from '../processor.ts';
import { faulty } from '../projector/test-support.ts';
import { runProcessor } from './run.ts';

// Only tests may import this file.

export const jobs = defineEvents('jobs', {
  JobAdded: z.object({ id: z.int(), text: z.string() }),
  JobEnded: z.object({ id: z.int() }),
});

type JobsFiles = ProcessorFiles<typeof jobs>;

/** A processor of jobs that begins at the beginning and gives up soon. */
export function jobsProcessor(handlers: JobsFiles['handlers'], more: Partial<JobsFiles> = {}): Processor {
  return defineProcessor({
    name: 'worker',
    topics: [jobs],
    handlers,
    from: 'beginning',
    retries: 1,
    backoffMs: 1,
    ...more,
  });
}

export function job(key: string, id: number, more: Partial<NewEvent> = {}): NewEvent {
  const time = '2026-01-01T00:00:00.000Z';
  const data = JSON.stringify({ id, text: `text ${id}` });
  const event = { topic: 'jobs', key, id: `job-${id}`, type: 'JobAdded', version: 1, time, data };
  return { ...event, origin: 'monolith', epoch: 0, ...more };
}

/** A log and instances of processors that end with it. */
export class ProcessorBed implements AsyncDisposable {
  readonly log: EventLog;
  readonly #writer: LogWriter;
  readonly #running: { stop: AbortController; ended: Promise<void> }[] = [];
  readonly #folder: string | undefined;
  #ids = 0;

  private constructor(log: EventLog, writer: LogWriter, folder?: string) {
    this.log = log;
    this.#writer = writer;
    this.#folder = folder;
  }

  static async inMemory(partitions = 1): Promise<ProcessorBed> {
    const log = openMemoryLog(topicsFor({ jobs: { partitions } }, ['worker']));
    return ProcessorBed.of(log);
  }

  static async of(log: EventLog): Promise<ProcessorBed> {
    return new ProcessorBed(log, await log.writer('emitter'));
  }

  static async onDisk(partitions: number): Promise<ProcessorBed> {
    const folder = await mkdtemp(join(tmpdir(), 'banyan-processor-'));
    const log = openSqliteLog({
      file: join(folder, 'log.sqlite'),
      topics: topicsFor({ jobs: { partitions } }, ['worker']),
    });
    return new ProcessorBed(log, await log.writer('emitter'), folder);
  }

  async add(...events: NewEvent[]): Promise<void> {
    await this.#writer.append(events, {});
  }

  start(processor: Processor, log = this.log, graceMs = 5000): Instance {
    const stop = new AbortController();
    const instance = `instance-${this.#ids++}`;
    const logger = pino({ level: 'silent' });
    const options = { log, processor, instance, router: 'http://router', logger, graceMs };
    const ended = runProcessor(options, stop.signal);
    ended.catch(() => undefined);
    this.#running.push({ stop, ended });
    const end = async () => {
      stop.abort();
      await ended;
    };
    return { instance, ended, end };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { stop } of this.#running) stop.abort();
    await Promise.allSettled(this.#running.map(({ ended }) => ended));
    await this.log.close();
    if (this.#folder) await rm(this.#folder, { recursive: true });
  }
}

export interface Instance {
  instance: string;
  ended: Promise<void>;
  end(): Promise<void>;
}

/** A log as a process has it that can be killed: from then on no call comes back, until it is let go. */
export function mortal(log: EventLog): { log: EventLog; kill(): void; isDead(): boolean } & Disposable {
  let dead = false;
  const buried = Promise.withResolvers<never>();
  buried.promise.catch(() => undefined);
  const alive = async <T>(work: () => Promise<T>): Promise<T> => (dead ? buried.promise : work());
  return {
    log: faulty(log, {
      post: (events) => alive(() => log.post(events)),
      writer: async (id) => {
        const writer = await alive(() => log.writer(id));
        return faulty(writer, { append: (events, state) => alive(() => writer.append(events, state)) });
      },
      async *read(from, options) {
        for await (const batch of log.read(from, options)) {
          if (dead) await buried.promise;
          yield batch;
        }
      },
    }),
    kill: () => {
      dead = true;
    },
    isDead: () => dead,
    [Symbol.dispose]: () => buried.reject(new Error('dead and buried')),
  };
}
