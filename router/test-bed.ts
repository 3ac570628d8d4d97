import http, { type IncomingHttpHeaders, type OutgoingHttpHeaders, type RequestListener } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { RouterOptions } from './options.ts';
import { type Router, startRouter } from './router.ts';

/** A router between a monolith and a service that record what reaches them. For tests. */
export interface Testbed extends AsyncDisposable {
  readonly router: Router;
  readonly port: number;
  readonly monolith: Recorder;
  readonly service: Recorder;
}

export interface Recorder extends AsyncDisposable {
  readonly url: string;
  readonly server: http.Server;
  readonly seen: Recorded[];
}

export interface Recorded {
  readonly method: string | undefined;
  /** As it stood in the request line. */
  readonly target: string | undefined;
  readonly headers: IncomingHttpHeaders;
  body: string;
}

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export const SECRET = 'a secret that is long enough to sign with';
export const TESTER = 'the token of the testers';

export const ROUTES: RouterOptions['routes'] = [
  { domain: 'orders', kind: 'read', method: 'GET', path: '/orders' },
  { domain: 'orders', kind: 'read', method: 'GET', path: '/orders/:id' },
  { domain: 'orders', kind: 'write', method: 'POST', path: '/orders' },
  { domain: 'orders', kind: 'write', method: 'GET', path: '/orders/:id/cancel' },
];

export interface TestbedOptions extends Partial<RouterOptions> {
  readonly onMonolith?: RequestListener;
  readonly onService?: RequestListener;
  /** Of reads that go to the service; `none`: no state is applied. Default 100. */
  readonly percent?: number | 'none';
}

export async function testbed({
  onMonolith,
  onService,
  percent = 100,
  ...options
}: TestbedOptions = {}): Promise<Testbed> {
  await using made = new AsyncDisposableStack();
  const monolith = made.use(await recorder('monolith', onMonolith));
  const service = made.use(await recorder('service', onService));
  const router = await startRouter({
    listen: { host: '127.0.0.1', port: 0 },
    monolith: monolith.url,
    services: { orders: service.url },
    routes: ROUTES,
    head: async () => 'p1',
    secret: SECRET,
    testerToken: TESTER,
    positionTtlSeconds: 10,
    ...options,
  });
  if (percent !== 'none') router.apply(ordersAt(percent));
  made.defer(() => router.close());
  const kept = made.move();
  return {
    router,
    port: Number(new URL(router.url).port),
    monolith,
    service,
    async [Symbol.asyncDispose]() {
      // What still hangs in a test that is over, or has failed, must not be waited for.
      monolith.server.closeAllConnections();
      service.server.closeAllConnections();
      await kept.disposeAsync();
    },
  };
}

export function ordersAt(percent: number, version = 1) {
  return { version, domains: { orders: { percent, serveable: true } } };
}

async function recorder(name: string, listener?: RequestListener): Promise<Recorder> {
  const seen: Recorded[] = [];
  const server = http.createServer((req, res) => {
    const recorded = { method: req.method, target: req.url, headers: req.headers, body: '' };
    seen.push(recorded);
    if (listener) return listener(req, res);
    req.on('data', (chunk) => {
      recorded.body += chunk;
    });
    req.on('end', () => res.end(name));
  });
  await listening(server);
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    server,
    seen,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

export function listening(server: net.Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}

export function portOf(server: net.Server): number {
  return (server.address() as AddressInfo).port;
}

export interface Question {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  readonly agent?: http.Agent;
}

/** Unlike fetch it sends targets and headers as they are. */
export function ask(
  port: number,
  target: string,
  { method = 'GET', headers, body, agent }: Question = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path: target,
      method,
      ...(headers && { headers }),
      agent: agent ?? false,
    };
    const req = http.request(options, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (chunk) => {
        text += chunk;
      });
      res.on('error', reject);
      res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, body: text }));
    });
    req.on('error', reject);
    req.end(body);
  });
}

/** Sends bytes (one for each character) and gives everything that comes back until the other side closes. */
export function sendRaw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
    socket.write(bytes, 'latin1');
  });
}

export function statusOf(response: string): number {
  return Number(response.split(' ')[1]);
}

export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

/** What one side of a test waits for and the other side opens. */
export function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** The value of a cookie that an answer sets. */
export function cookieOf({ headers }: Answer, name: string): string | undefined {
  const set = headers['set-cookie']?.find((cookie) => cookie.startsWith(`${name}=`));
  return set?.slice(name.length + 1).split(';')[0];
}

export async function metricsOf({ router }: Testbed): Promise<string> {
  return (
    await ask(Number(new URL(router.adminUrl).port), '/metrics', { headers: { host: new URL(router.adminUrl).host } })
  ).body;
}

/** Waits for something that will come about, without saying when. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}
