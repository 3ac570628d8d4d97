import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Parsed JSON; `undefined` without a body. */
  body: unknown;
}

const TIMEOUT_MS = 10_000;

/**
 * A client of its own: keep-alive connections and a cookie jar, as a browser has them. Never retries anything. With
 * several origins it goes to each in turn, as through a balancer.
 */
export class Browser {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });
  readonly #cookies = new Map<string, { value: string; until: number }>();
  readonly #origins: URL[];
  #sent = 0;

  constructor(...origins: [string, ...string[]]) {
    this.#origins = origins.map((origin) => new URL(origin));
  }

  /** Rejects on a connection error, a time-out or a body that is not JSON. */
  send(method: string, path: string, body?: unknown): Promise<Answer> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers: Record<string, string | number> = { cookie: this.#cookieHeader() };
    if (payload !== undefined)
      Object.assign(headers, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) });
    const { hostname, port } = this.#origins[this.#sent++ % this.#origins.length] as URL;
    return new Promise((resolve, reject) => {
      const outgoing = request(
        { agent: this.#agent, hostname, port, method, path, headers, timeout: TIMEOUT_MS },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () => {
            this.#keep(incoming.headers['set-cookie'] ?? []);
            const text = Buffer.concat(chunks).toString();
            try {
              resolve({
                status: incoming.statusCode ?? 0,
                headers: incoming.headers,
                body: text === '' ? undefined : JSON.parse(text),
              });
            } catch {
              reject(new Error(`not JSON: ${text.slice(0, 100)}`));
            }
          });
        },
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
      outgoing.on('error', reject);
      outgoing.end(payload);
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #cookieHeader(): string {
    const now = Date.now();
    return [...this.#cookies]
      .flatMap(([name, { value, until }]) => (until > now ? [`${name}=${value}`] : []))
      .join('; ');
  }

  #keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split('; ');
      const [name = '', value = ''] = pair.split('=', 2);
      const maxAge = attributes.find((attribute) => attribute.toLowerCase().startsWith('max-age='))?.slice(8);
      this.#cookies.set(name, {
        value,
        until: maxAge === undefined ? Number.POSITIVE_INFINITY : Date.now() + Number(maxAge) * 1000,
      });
    }
  }
}
