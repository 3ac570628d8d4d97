import { Worker } from 'node:worker_threads';
import type { Doorbell } from '../doorbell.ts';
import type { Checkpoint, LogWriter, NewEvent, Topics } from '../types.ts';
import { sqliteFault } from './errors.ts';

/** What the thread works on. */
export interface WriterThreadData {
  id: string;
  file: string;
  topics: Topics;
}

export interface AppendRequest {
  events: readonly NewEvent[];
  state: unknown;
}

/** Comes once when the writer has been opened, then once for each append. */
export type WriterThreadAnswer =
  | { generation: number; checkpoint: Checkpoint | undefined }
  | { fault: { code: Parameters<typeof sqliteFault>[0]; found?: string; needed?: string; cause: unknown } }
  | { error: unknown };

type Opened = Extract<WriterThreadAnswer, { generation: number }>;

/**
 * A writer whose appends run in a thread of their own: while they are being written, the next events can be made. To
 * hand an event over costs a tenth of what it takes to write it.
 */
export class ThreadWriter implements LogWriter {
  readonly id: string;
  readonly generation: number;
  checkpoint: Checkpoint | undefined;
  readonly #thread: Thread;
  readonly #doorbell: Doorbell;

  private constructor(id: string, { generation, checkpoint }: Opened, thread: Thread, doorbell: Doorbell) {
    this.id = id;
    this.generation = generation;
    this.checkpoint = checkpoint;
    this.#thread = thread;
    this.#doorbell = doorbell;
  }

  static async open(data: WriterThreadData, doorbell: Doorbell): Promise<ThreadWriter> {
    const thread = new Thread(data);
    try {
      return new ThreadWriter(data.id, await thread.answer(), thread, doorbell);
    } catch (error) {
      await thread.end();
      throw error;
    }
  }

  async append(events: readonly NewEvent[], state: unknown): Promise<Checkpoint> {
    const { checkpoint } = await this.#thread.ask({ events, state });
    this.checkpoint = checkpoint as Checkpoint;
    this.#doorbell.ring();
    return this.checkpoint;
  }

  async close(): Promise<void> {
    await this.#thread.end();
  }
}

/** The thread as seen from outside. It answers in the order in which it is asked; the first answer is unasked. */
class Thread {
  readonly #worker: Worker;
  readonly #waiting = [Promise.withResolvers<Opened>()];
  #failure: { error: unknown } | undefined;

  constructor(workerData: WriterThreadData) {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#worker = new Worker(new URL(`./writer-thread.${extension}`, import.meta.url), { workerData });
    this.#worker.on('message', (answer: WriterThreadAnswer) => {
      if ('fault' in answer) this.#fail(sqliteFault(answer.fault.code, answer.fault));
      else if ('error' in answer) this.#fail(answer.error);
      else this.#waiting.shift()?.resolve(answer);
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error("the log writer's thread has ended")));
  }

  answer(): Promise<Opened> {
    return (this.#waiting[0] as PromiseWithResolvers<Opened>).promise;
  }

  ask(request: AppendRequest): Promise<Opened> {
    if (this.#failure) return Promise.reject(this.#failure.error);
    const waiting = Promise.withResolvers<Opened>();
    this.#waiting.push(waiting);
    this.#worker.postMessage(request);
    return waiting.promise;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }
}
