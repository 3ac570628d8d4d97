import type { Agent, IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { createProxyMiddleware, type Options, type RequestHandler } from 'http-proxy-middleware';
import { Attempt } from './attempt.ts';
import type { Limits } from './options.ts';
import type { UpgradeAttempt } from './upgrade-attempt.ts';
import { oneOffAgent, upstreamAgent } from './upstream-agent.ts';

type ProxyOptions = Options<IncomingMessage, ServerResponse>;

/** Stands for a request's body where there is none: spares the piping, and a second sending finds it unread. */
const NO_BODY = new Readable({
  read() {
    this.push(null);
  },
});
NO_BODY.pipe = (destination) => {
  destination.end();
  return destination;
};

/** One server behind the router, with its connections. */
export class Upstream {
  readonly #agent: Agent;
  readonly #oneOffAgent: Agent;
  readonly #proxy: RequestHandler<IncomingMessage, ServerResponse>;
  readonly #upgrades = new WeakMap<IncomingMessage, UpgradeAttempt>();

  constructor(origin: string, limits: Limits) {
    const { protocol, hostname, port } = new URL(origin);
    const host = hostname.replace(/^\[|\]$/g, '');
    this.#agent = upstreamAgent(protocol, limits.connectTimeoutMs);
    this.#oneOffAgent = oneOffAgent(protocol, limits.connectTimeoutMs);
    this.#proxy = createProxyMiddleware<IncomingMessage, ServerResponse>({
      // As an object: a string is parsed anew for each request, twice.
      target: { protocol, host, hostname: host, port: port || (protocol === 'https:' ? 443 : 80) },
      agent: this.#agent,
      selfHandleResponse: true,
      proxyTimeout: limits.upstreamTimeoutMs,
      upgradeTimeout: limits.upstreamTimeoutMs,
      // The default plugins log each exchange and answer errors in plain text.
      ejectPlugins: true,
      pathRewrite: (_path, req, res, options) => this.#prepare(req, res, options),
      plugins: [
        (proxy) => {
          proxy.on('proxyReq', (proxyReq, _req, res) => attemptOf(res)?.sending(proxyReq));
          proxy.on('proxyRes', (answer, _req, res) => attemptOf(res)?.answer(answer));
          proxy.on('proxyReqWs', (proxyReq, req) => this.#upgrades.get(req)?.sending(proxyReq));
          proxy.on('error', (error, req, res) => this.#failed(error, req, res));
          proxy.on('econnreset', (error, req, res) => this.#failed(error, req, res));
        },
      ],
    });
  }

  send(attempt: Attempt): void {
    const { req, headers } = attempt.request;
    // http-proxy-middleware parses `url` as a URL and drops the request where it cannot (`//`); it is given the true
    // target in `pathRewrite`.
    req.url = '/';
    req.headers = headers;
    void this.#proxy(req, attempt.asResponse(), () => attempt.fail(new Error('it was not sent')));
  }

  upgrade(attempt: UpgradeAttempt): void {
    const { req, socket, head, headers } = attempt.request;
    this.#upgrades.set(req, attempt);
    req.url = '/';
    req.headers = headers;
    this.#proxy.upgrade(req, socket, head);
  }

  close(): void {
    this.#agent.destroy();
  }

  /** `options` are a copy for this request. */
  #prepare(req: IncomingMessage, res: ServerResponse | undefined, options: ProxyOptions | undefined): string {
    const attempt = attemptOf(res);
    const body = attempt?.request.body;
    if (options && !attempt?.request.hasBody) options.buffer = NO_BODY;
    else if (options && body) options.buffer = Readable.from([body]);
    if (options && (!attempt || attempt.retried)) options.agent = this.#oneOffAgent;
    return (attempt ?? this.#upgrades.get(req))?.request.target ?? '/';
  }

  #failed(error: Error, req: IncomingMessage | undefined, res: unknown): void {
    const attempt = attemptOf(res);
    if (attempt?.retries(error)) this.send(attempt);
    else if (attempt) attempt.fail(error);
    else if (req) this.#upgrades.get(req)?.fail(error);
  }
}

function attemptOf(res: unknown): Attempt | undefined {
  return res instanceof Attempt ? res : undefined;
}
