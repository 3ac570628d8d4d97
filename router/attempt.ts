import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHeaders } from './request-headers.ts';

/** Why no answer came. */
export type Failure = 'connect' | 'timeout' | 'reset' | 'protocol';

export interface AttemptEvents {
  /** The head of the answer is here; its body flows once somebody reads it. */
  answered(answer: IncomingMessage): void;
  /** There is no head, and there will be none. Not called after `release`. */
  failed(failure: Failure, error: Error): void;
  /** The body ended too early. */
  brokeOff(): void;
  /** Released before anything came. */
  left?(): void;
}

export interface AttemptRequest {
  readonly req: IncomingMessage;
  /** The request target, byte for byte as the client sent it. */
  readonly target: string;
  readonly headers: RequestHeaders;
  readonly hasBody: boolean;
  /** The whole of it, if it has been read already. */
  readonly body?: Buffer | undefined;
  /** For the head of the answer; without it only the upstream's own limits hold. */
  readonly timeoutMs?: number;
}

/** An answer that nobody wants is read to its end, which keeps the connection, if it has at most this many bytes. */
const WORTH_READING_BYTES = 16_384;

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/**
 * One sending of a request to one server.
 *
 * http-proxy-middleware is given it in place of the client's ServerResponse. httpxy destroys that response whenever an
 * answer breaks off, and stops the server whenever that response closes; but here an answer may be thrown away for the
 * monolith's, and the client must notice nothing. So the client's response is touched by the exchange alone.
 *
 * | state    | entered by         | left by                                       |
 * | -------- | ------------------ | --------------------------------------------- |
 * | waiting  | creation           | `answer` → answered; `fail`, `release` → over |
 * | answered | head of the answer | `destroy`, `release`, `discard` → over        |
 * | over     |                    |                                               |
 */
export class Attempt {
  readonly request: AttemptRequest;
  readonly #events: AttemptEvents;
  #state: 'waiting' | 'answered' | 'over' = 'waiting';
  #proxyReq: ClientRequest | undefined;
  readonly #deadline: NodeJS.Timeout | undefined;
  #timedOut: boolean = false;
  #retried: boolean = false;
  readonly #closeListeners: (() => void)[] = [];

  // What httpxy reads of a ServerResponse.
  readonly headersSent = false;
  readonly finished = false;
  writableFinished = false;

  constructor(request: AttemptRequest, events: AttemptEvents) {
    this.request = request;
    this.#events = events;
    if (request.timeoutMs !== undefined) this.#deadline = setTimeout(() => this.#expire(), request.timeoutMs);
  }

  /** httpxy waits for `close`, and for `error`, which never comes. */
  on(event: string, listener: () => void): this {
    if (event === 'close') this.#closeListeners.push(listener);
    return this;
  }

  get destroyed(): boolean {
    return this.#state === 'over';
  }

  /** True on the second sending, which takes a connection of its own. */
  get retried(): boolean {
    return this.#retried;
  }

  asResponse(): ServerResponse {
    return this as unknown as ServerResponse;
  }

  sending(proxyReq: ClientRequest): void {
    this.#proxyReq = proxyReq;
    // httpxy makes `/*` of `*`, and `/http://…` of an absolute target.
    if (proxyReq.path !== this.request.target) proxyReq.path = this.request.target;
    proxyReq.once('timeout', () => {
      this.#timedOut = true;
    });
  }

  answer(answer: IncomingMessage): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'answered';
    clearTimeout(this.#deadline);
    this.#events.answered(answer);
  }

  /**
   * Whether to send once more: the server had closed an idle connection just when this request took it, so it has not
   * begun. It may still have begun to close after reading, hence idempotent requests only. The second sending takes no
   * idle connection, so there is no third one.
   */
  retries(error: NodeJS.ErrnoException): boolean {
    if (this.#state !== 'waiting' || this.#timedOut) return false;
    const { req, hasBody } = this.request;
    const idle = failureOf(error) === 'reset' && this.#proxyReq?.reusedSocket === true;
    this.#retried = idle && !hasBody && IDEMPOTENT.has(req.method ?? '');
    return this.#retried;
  }

  fail(error: NodeJS.ErrnoException): void {
    if (this.#state !== 'waiting') return;
    this.#end();
    this.#events.failed(this.#timedOut ? 'timeout' : failureOf(error), error);
  }

  /** httpxy: the answer broke off. */
  destroy(): void {
    this.#end();
    this.#events.brokeOff();
  }

  /** The client's answer is over, or is not to come from here: stops the server unless all has been `delivered`. */
  release(delivered: boolean): void {
    if (this.#state === 'over') return;
    const waiting = this.#state === 'waiting';
    this.#end();
    this.writableFinished = delivered;
    this.#close();
    if (waiting) this.#events.left?.();
  }

  /** Somebody else answers. */
  discard(answer: IncomingMessage): void {
    if (Number(answer.headers['content-length']) <= WORTH_READING_BYTES) {
      this.#end();
      answer.resume();
    } else {
      this.release(false);
    }
  }

  #expire(): void {
    this.#timedOut = true;
    this.fail(new Error('no answer in time'));
    this.#close();
  }

  #close(): void {
    for (const listener of this.#closeListeners) listener();
  }

  #end(): void {
    this.#state = 'over';
    clearTimeout(this.#deadline);
  }
}

function failureOf({ code }: NodeJS.ErrnoException): Failure {
  if (code === 'ETIMEDOUT') return 'timeout';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'reset';
  return code?.startsWith('HPE_') ? 'protocol' : 'connect';
}
