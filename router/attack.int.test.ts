import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { metricsOf, sendRaw, statusOf, type Testbed, testbed } from './test-bed.ts';

// Every canonical GET of /orders and /orders/:id goes to the service here, so whatever slips through shows.
let bed: Testbed;
beforeAll(async () => {
  bed = await testbed({ sessionCookie: 'sid' });
});
afterAll(async () => await bed[Symbol.asyncDispose]());
beforeEach(() => {
  bed.monolith.seen.length = 0;
  bed.service.seen.length = 0;
});

function get(target: string, ...headers: string[]): Promise<string> {
  const lines = [`GET ${target} HTTP/1.1`, 'Host: shop', 'Connection: close', ...headers];
  return sendRaw(bed.port, `${lines.join('\r\n')}\r\n\r\n`);
}

describe('a target with more than one reading', () => {
  it.each([
    '//',
    '//orders/1',
    '///orders/1',
    '//[/orders/1',
    '//evil.example/orders/1',
    '/orders//1',
    '/orders/1//',
    '/orders\\1',
    '/\\orders/1',
    '/orders%2F1',
    '/orders%2f1',
    '/orders%5C1',
    '/orders/./1',
    '/./orders/1',
    '/x/../orders/1',
    '/orders/..',
    '/orders/../users/1',
    '/orders/%2e%2e/users/1',
    '/orders/%2E%2E/users/1',
    '/orders/.%2e/users',
    '/orders/..%2fusers',
    '/orders/..;/users',
    '/orders;a=b/1',
    '/orders;/1',
    '/orders/1;jsessionid=x',
    '/orders/1%00',
    '/orders/1%00.html',
    '/orders/%0d%0aX:1',
    '/orders/%252e%252e',
    '/%6frders/1',
    '/%6Frders/1',
    '/orders/%31',
    '/orders/%ff',
    '/orders/%c0%af',
    '/orders/%C0%AF',
    '/orders/%',
    '/orders/%zz',
    '/orders/1#fragment',
    '/orders/1|2',
    '/orders/<script>',
    'http://evil.example/orders/1',
    'http://shop/orders/1',
    'HTTP://shop//orders/1',
    'https://shop/orders/1',
    'ftp://shop/orders/1',
  ])('%s reaches the monolith byte for byte, and no service', async (target) => {
    expect(statusOf(await get(target))).toBe(200);
    expect(bed.monolith.seen.map((request) => request.target)).toEqual([target]);
    expect(bed.service.seen).toEqual([]);
  });

  it('* of OPTIONS reaches the monolith as it is', async () => {
    await sendRaw(bed.port, 'OPTIONS * HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n');
    expect(bed.monolith.seen.map((request) => request.target)).toEqual(['*']);
  });

  it('is counted by its flaw', async () => {
    await get('//orders/1');
    const metrics = await metricsOf(bed);
    expect(metrics).toMatch(/banyan_router_not_canonical_total\{reason="empty-segment"\} [1-9]/);
    expect(metrics).toMatch(/banyan_router_not_canonical_total\{reason="not-origin-form"\} [1-9]/);
  });

  it.each(['//orders/1', '/orders/%2e', 'http://shop/orders', '/orders;a'])(
    '%s is refused where paths are strict',
    async (target) => {
      await using strict = await testbed({ strict: true });
      const response = await sendRaw(strict.port, `GET ${target} HTTP/1.1\r\nHost: shop\r\n\r\n`);
      expect(statusOf(response)).toBe(400);
      expect(response).toContain('application/problem+json');
      expect(response).toContain('BNY-ROUTER-NOT-CANONICAL');
      expect([...strict.monolith.seen, ...strict.service.seen]).toEqual([]);
    },
  );

  it.each(['/Orders/1', '/ordersX/1', '/orders/', '/orders/1/', '/orders/1/2', '/', '/ORDERS'])(
    '%s is another path than the declared ones and belongs to the monolith',
    async (target) => {
      await get(target);
      expect(bed.monolith.seen.map((request) => request.target)).toEqual([target]);
      expect(bed.service.seen).toEqual([]);
    },
  );

  it.each(['/orders/1?x=//../%2f;%00', '/orders?', '/orders/caf%C3%A9?q=a+b'])(
    '%s goes to the service byte for byte',
    async (target) => {
      await get(target);
      expect(bed.service.seen.map((request) => request.target)).toEqual([target]);
      expect(bed.monolith.seen).toEqual([]);
    },
  );
});

describe('a request that Node or the router refuses', () => {
  const post = 'POST /orders HTTP/1.1\r\nHost: shop\r\n';
  it.each([
    ['a control byte in the target', 'GET /orders/\x01 HTTP/1.1\r\nHost: shop\r\n\r\n', 400],
    ['a NUL in the target', 'GET /orders/\0 HTTP/1.1\r\nHost: shop\r\n\r\n', 400],
    ['a tab in the target', 'GET /orders/\t HTTP/1.1\r\nHost: shop\r\n\r\n', 400],
    ['raw bytes beyond ASCII in the target', 'GET /orders/\xc3\xa9 HTTP/1.1\r\nHost: shop\r\n\r\n', 400],
    ['a target without slash', 'GET orders/1 HTTP/1.1\r\nHost: shop\r\n\r\n', 400],
    ['the authority form', 'GET shop:80 HTTP/1.1\r\nHost: shop\r\n\r\n', 400],
    [
      'Content-Length and Transfer-Encoding',
      `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    [
      'Transfer-Encoding and Content-Length',
      `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['two Content-Lengths', `${post}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, 400],
    ['a signed Content-Length', `${post}Content-Length: +1\r\n\r\na`, 400],
    ['a listed Content-Length', `${post}Content-Length: 1, 1\r\n\r\na`, 400],
    ['an unknown Transfer-Encoding', `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 400],
    ['a Transfer-Encoding that ends otherwise', `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`, 400],
    ['a space before the colon', `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`, 400],
    ['bare line feeds', 'GET /orders/1 HTTP/1.1\nHost: shop\n\n', 400],
    ['a bare carriage return in a header', 'GET /orders/1 HTTP/1.1\r\nHost: shop\r\nX: a\rY: b\r\n\r\n', 400],
    ['a folded header', 'GET /orders/1 HTTP/1.1\r\nHost: shop\r\nX: a\r\n b\r\n\r\n', 400],
    ['a NUL in a header', 'GET /orders/1 HTTP/1.1\r\nHost: shop\r\nX: a\0\r\n\r\n', 400],
    ['no Host', 'GET /orders/1 HTTP/1.1\r\n\r\n', 400],
    ['two Hosts', 'GET /orders/1 HTTP/1.1\r\nHost: shop\r\nHost: evil\r\n\r\n', 400],
    ['two Hosts, one in capitals', 'GET /orders/1 HTTP/1.1\r\nHost: shop\r\nHOST: shop\r\n\r\n', 400],
    ['a Host that leaves its quotes', 'GET /orders/1 HTTP/1.1\r\nHost: a";for=b\r\n\r\n', 400],
    ['a Host with a path', 'GET /orders/1 HTTP/1.1\r\nHost: shop/orders\r\n\r\n', 400],
    ['TRACE', 'TRACE /orders/1 HTTP/1.1\r\nHost: shop\r\n\r\n', 405],
    ['CONNECT', 'CONNECT shop:80 HTTP/1.1\r\nHost: shop\r\n\r\n', 405],
    ['a head beyond the limit', `GET /orders/1 HTTP/1.1\r\nHost: shop\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('%s reaches nobody', async (_, bytes, status) => {
    expect(statusOf(await sendRaw(bed.port, bytes))).toBe(status);
    expect([...bed.monolith.seen, ...bed.service.seen]).toEqual([]);
  });
});

describe('a client that resets its connection', () => {
  it.each(['CONNECT shop:80', 'GET /', 'POST /orders'])('in the middle of %s does no harm', async (line) => {
    for (let n = 0; n < 20; n++) {
      const socket = net.connect(bed.port, '127.0.0.1').on('error', () => {});
      await once(socket, 'connect');
      socket.write(`${line} HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\n\r\n`);
      socket.resetAndDestroy();
    }
    expect(statusOf(await get('/orders/1'))).toBe(200);
  });
});

describe('a header that makes another request of it', () => {
  it.each([
    'X-HTTP-Method-Override: DELETE',
    'X-HTTP-Method: DELETE',
    'X-Method-Override: DELETE',
    'x_http_method_override: DELETE',
  ])('%s leaves it to the monolith, as it was sent, and counts as a write', async (header) => {
    const answer = await get('/orders/1', header);
    const name = (header.split(':')[0] ?? '').toLowerCase();
    expect(bed.monolith.seen[0]?.headers).toMatchObject({ [name]: 'DELETE' });
    expect(bed.service.seen).toEqual([]);
    expect(answer).toMatch(/banyan_position/i);
  });
});

describe('a header that would speak for somebody else', () => {
  it.each([
    'X-Original-URL: /admin',
    'X-Rewrite-URL: /admin',
    'X-Forwarded-Prefix: /admin',
    'X-Real-IP: 10.0.0.1',
    'Banyan-Identity: forged',
    'Banyan_Identity: forged',
    'Banyan-Min-Position: not a position',
    'Banyan-Served-By: me',
    'Banyan-Tester: x',
    'Banyan-Prefer: monolith',
    'Proxy-Authorization: Basic eA==',
    'Keep-Alive: timeout=1',
    'TE: trailers',
    'Expect: 100-continue',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAAQAAP__',
    'Cookie: sid=a',
    'Authorization: Bearer x',
  ])('%s does not reach the service', async (header) => {
    await get('/orders/1', header);
    const name = header.split(':')[0] ?? '';
    expect(bed.service.seen[0]?.method).toBe('GET');
    expect(bed.service.seen[0]?.headers).not.toHaveProperty(name.toLowerCase());
    expect(bed.monolith.seen).toEqual([]);
  });

  it('does not reach the monolith either, but the credentials do', async () => {
    await get('/', 'Banyan-Identity: x', 'X_Forwarded_For: 1.1.1.1', 'Cookie: sid=a', 'Authorization: y');
    const { headers } = bed.monolith.seen[0] ?? {};
    const names = ['host', 'connection', 'cookie', 'authorization', 'forwarded'];
    const forwarded = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'];
    expect(new Set(Object.keys(headers ?? {}))).toEqual(new Set([...names, ...forwarded]));
  });

  it('cannot say where the request comes from', async () => {
    await get(
      '/orders/1',
      'X-Forwarded-For: 1.1.1.1',
      'X-Forwarded-Host: evil',
      'X-Forwarded-Proto: https',
      'Forwarded: for=1.1.1.1',
    );
    expect(bed.service.seen[0]?.headers).toMatchObject({
      host: 'shop',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'shop',
      'x-forwarded-proto': 'http',
      forwarded: 'for=127.0.0.1;host="shop";proto=http',
    });
  });

  it('is removed when Connection lists it, unless the request would then be another one', async () => {
    const listed =
      'Connection: close, X-Private, Host, Cookie, Authorization, Content-Length, X-Forwarded-For, Forwarded';
    const head = [
      'POST / HTTP/1.1',
      'Host: shop',
      listed,
      'X-Private: 1',
      'Cookie: sid=a',
      'Authorization: b',
      'Content-Length: 2',
    ];
    await sendRaw(bed.port, `${head.join('\r\n')}\r\n\r\nhi`);
    const [request] = bed.monolith.seen;
    expect(request).toMatchObject({ method: 'POST', body: 'hi' });
    expect(request?.headers).toMatchObject({
      host: 'shop',
      cookie: 'sid=a',
      authorization: 'b',
      'content-length': '2',
      'x-forwarded-for': '127.0.0.1',
      forwarded: 'for=127.0.0.1;host="shop";proto=http',
    });
    expect(request?.headers).not.toHaveProperty('x-private');
  });
});

describe('a read that may be a write', () => {
  it.each(['?_method=DELETE', '?a=1&_method=PUT', '?%5fmethod=DELETE', '?%5F%6D%65thod=DELETE', '?_METHOD=DELETE'])(
    '/orders/1%s is the monolith’s',
    async (query) => {
      await get(`/orders/1${query}`);
      expect(bed.monolith.seen.map((request) => request.target)).toEqual([`/orders/1${query}`]);
      expect(bed.service.seen).toEqual([]);
    },
  );

  it('is the monolith’s when it has a body', async () => {
    await get('/orders/1', 'Content-Length: 2\r\n\r\nhi');
    expect(bed.monolith.seen).toMatchObject([{ target: '/orders/1', body: 'hi' }]);
    expect(bed.service.seen).toEqual([]);
  });

  it('is the monolith’s when it was declared a write, also for HEAD', async () => {
    await get('/orders/1/cancel');
    await sendRaw(bed.port, 'HEAD /orders/1/cancel HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n');
    expect(bed.monolith.seen.map((request) => request.method)).toEqual(['GET', 'HEAD']);
    expect(bed.service.seen).toEqual([]);
  });

  it('is the monolith’s when two session cookies contradict each other', async () => {
    await get('/orders/1', 'Cookie: sid=a; sid=b');
    expect(bed.service.seen).toEqual([]);
  });

  it('is a read again when the body is said to be empty', async () => {
    await get('/orders/1', 'Content-Length: 0');
    expect(bed.service.seen).toHaveLength(1);
  });
});

describe('a request hidden in another one', () => {
  const hidden = 'GET /admin HTTP/1.1\r\nHost: shop\r\n\r\n';

  it.each(['GET', 'DELETE', 'OPTIONS', 'POST'])('stays in the chunked body of a %s', async (method) => {
    const body = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;
    const head = `${method} / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
    await sendRaw(bed.port, head + body);
    expect(bed.monolith.seen).toMatchObject([{ method, target: '/', body: hidden }]);
  });

  it('behind an h2c upgrade is not read at all', async () => {
    const upgrade = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: x'].join('\r\n');
    await sendRaw(bed.port, `GET /orders/1 HTTP/1.1\r\nHost: shop\r\n${upgrade}\r\n\r\n${hidden}`);
    expect(bed.service.seen).toMatchObject([{ target: '/orders/1' }]);
    expect(bed.service.seen[0]?.headers).not.toHaveProperty('upgrade');
    expect(bed.monolith.seen).toEqual([]);
  });
});
