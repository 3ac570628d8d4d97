import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHeaders } from './request-headers.ts';

export interface UpgradeRequest {
  readonly req: IncomingMessage;
  readonly socket: Socket;
  /** What the client has already sent of the new protocol. */
  readonly head: Buffer;
  readonly target: string;
  readonly headers: RequestHeaders;
}

export interface UpgradeEvents {
  /** The server has answered: 101 and the connection is joined to the client's, or a refusal that is being relayed. */
  answered(status: number): void;
  /** There is no answer. httpxy ends the client's socket after this. */
  failed(error: Error): void;
}

/** The sending of an upgrade to one server. The bytes are httpxy's business; this tells how it went. */
export class UpgradeAttempt {
  readonly request: UpgradeRequest;
  readonly #events: UpgradeEvents;
  #over: boolean = false;

  constructor(request: UpgradeRequest, events: UpgradeEvents) {
    this.request = request;
    this.#events = events;
  }

  sending(proxyReq: ClientRequest): void {
    if (proxyReq.path !== this.request.target) proxyReq.path = this.request.target;
    proxyReq.once('response', (answer) => this.#answered(answer.statusCode ?? 502));
    proxyReq.once('upgrade', (_answer, proxySocket) => {
      this.#answered(101);
      // httpxy passes an end on, but not the destruction of the client's socket.
      this.request.socket.once('close', () => proxySocket.destroy());
    });
  }

  /** Errors come after the answer too, as when an open connection breaks; by then they concern nobody. */
  fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#events.failed(error);
  }

  #answered(status: number): void {
    if (this.#over) return;
    this.#over = true;
    this.#events.answered(status);
  }
}
