import type { RequestListener } from 'node:http';
import http from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { ask, gate, metricsOf, testbed, until } from './test-bed.ts';

const FAILURES: [string, RequestListener, string][] = [
  ['closes the connection', (req) => req.socket.destroy(), 'reset'],
  ['never answers', () => {}, 'timeout'],
  ['answers 500', (_req, res) => res.writeHead(500).end('oh'), 'status'],
  ['answers 503 at length', (_req, res) => res.writeHead(503).end('x'.repeat(1_000_000)), 'status'],
  ['talks nonsense', (req) => req.socket.end('EHLO\r\n\r\n'), 'protocol'],
  ['answers with a status that is none', (req) => req.socket.end('HTTP/1.1 099 No\r\n\r\n'), 'protocol'],
  ['is behind', (_req, res) => res.writeHead(200, { 'banyan-behind': 'p0' }).end('old'), 'behind'],
  ['is behind and says 503', (_req, res) => res.writeHead(503, { 'banyan-behind': 'p0' }).end(), 'behind'],
];

describe('a read whose service fails', () => {
  it.each(FAILURES)('is answered by the monolith when the service %s', async (_, onService, reason) => {
    await using bed = await testbed({ onService, limits: { serviceTimeoutMs: 50 } });
    const answer = await ask(bed.port, '/orders/1?a=b', { headers: { cookie: 'sid=a', 'x-kept': '1' } });
    expect(answer).toMatchObject({ status: 200, body: 'monolith' });
    expect(answer.headers['banyan-served-by']).toBe(`monolith;domain=orders;reason=fallback-${reason}`);
    expect(bed.service.seen).toHaveLength(1);
    expect(bed.monolith.seen).toMatchObject([
      { method: 'GET', target: '/orders/1?a=b', headers: { cookie: 'sid=a', 'x-kept': '1' } },
    ]);
    expect(await metricsOf(bed)).toContain(`banyan_router_fallbacks_total{domain="orders",reason="${reason}"} 1`);
  });

  it('is answered by the monolith when nothing listens there', async () => {
    await using bed = await testbed({ services: { orders: 'http://127.0.0.1:1' } });
    const answer = await ask(bed.port, '/orders/1');
    expect(answer.headers['banyan-served-by']).toBe('monolith;domain=orders;reason=fallback-connect');
  });

  it('is answered by the monolith for HEAD too', async () => {
    await using bed = await testbed({ onService: (_req, res) => res.writeHead(500).end() });
    expect(await ask(bed.port, '/orders/1', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    expect(bed.monolith.seen).toMatchObject([{ method: 'HEAD', target: '/orders/1' }]);
  });

  it('is the service’s when the service refuses it', async () => {
    await using bed = await testbed({ onService: (_req, res) => res.writeHead(404).end('none') });
    expect(await ask(bed.port, '/orders/1')).toMatchObject({ status: 404, body: 'none' });
    expect(bed.monolith.seen).toEqual([]);
  });

  it('breaks off once the head of the answer has been relayed', async () => {
    await using bed = await testbed({
      onService: (_req, res) => {
        res.write('half');
        setTimeout(() => res.destroy(), 20);
      },
    });
    await expect(ask(bed.port, '/orders/1')).rejects.toThrow('aborted');
    expect(bed.monolith.seen).toEqual([]);
  });
});

describe('the breaker of a domain', () => {
  it('opens after failures in a row, then closes by itself when the service is well again', async () => {
    let status = 500;
    await using bed = await testbed({
      breaker: { failures: 3, delayMs: 100 },
      onService: (_req, res) => res.writeHead(status).end('service'),
    });
    const servedBy = async () => (await ask(bed.port, '/orders/1')).headers['banyan-served-by'];
    for (let n = 0; n < 3; n++) expect(await servedBy()).toContain('fallback-status');
    expect(await servedBy()).toBe('monolith;domain=orders;reason=breaker-open');
    expect(bed.service.seen).toHaveLength(3);
    expect(await metricsOf(bed)).toContain('banyan_router_breaker_open{domain="orders"} 1');
    status = 200;
    await until(async () => (await servedBy()) === 'service;domain=orders;reason=ramp');
    expect(await metricsOf(bed)).toContain('banyan_router_breaker_open{domain="orders"} 0');
  });

  it('stays closed while the service is merely behind', async () => {
    await using bed = await testbed({
      breaker: { failures: 1, delayMs: 60_000 },
      onService: (_req, res) => res.writeHead(503, { 'banyan-behind': 'p0' }).end(),
    });
    await ask(bed.port, '/orders/1');
    await ask(bed.port, '/orders/1');
    expect(bed.service.seen).toHaveLength(2);
  });

  it('is not opened by clients that leave', async () => {
    await using bed = await testbed({ breaker: { failures: 1, delayMs: 60_000 }, onService: () => {} });
    const leaving = http.get({ port: bed.port, host: '127.0.0.1', path: '/orders/1' }).on('error', () => {});
    await until(() => bed.service.seen.length === 1);
    leaving.destroy();
    await until(async () => (await metricsOf(bed)).includes('status="aborted"'));
    expect(await metricsOf(bed)).toContain('banyan_router_breaker_open{domain="orders"} 0');
  });
});

describe('a connection that its server has just closed', () => {
  /** Answers the first request of each connection, and cuts the connection at the second. */
  const onMonolith: RequestListener = (req, res) => {
    const { socket } = req as { socket: { used?: boolean } };
    if (socket.used) req.socket.destroy();
    else res.end('monolith');
    socket.used = true;
  };

  it.each(['GET', 'HEAD', 'DELETE'])('makes a %s be sent once more', async (method) => {
    await using bed = await testbed({ onMonolith });
    await ask(bed.port, '/');
    expect((await ask(bed.port, '/', { method })).status).toBe(200);
    expect(bed.monolith.seen.map((request) => request.method)).toEqual(['GET', method, method]);
  });

  it('makes a request be sent once more on a new connection, not on another idle one', async () => {
    const all = gate();
    await using bed = await testbed({
      onMonolith: async (req, res) => {
        if (bed.monolith.seen.length === 3) all.open();
        await all.opened;
        onMonolith(req, res);
      },
    });
    await Promise.all([ask(bed.port, '/'), ask(bed.port, '/'), ask(bed.port, '/')]);
    expect((await ask(bed.port, '/')).status).toBe(200);
    expect(bed.monolith.seen).toHaveLength(5);
  });

  it('does not make a POST be sent twice, because its outcome is unknown', async () => {
    await using bed = await testbed({ onMonolith });
    await ask(bed.port, '/');
    const answer = await ask(bed.port, '/', { method: 'POST' });
    expect(answer.status).toBe(502);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(answer.body)).toMatchObject({ status: 502, code: 'BNY-ROUTER-UNREACHABLE' });
    expect(bed.monolith.seen).toHaveLength(2);
  });

  it('makes a request be sent once more and not again', async () => {
    await using bed = await testbed({
      onMonolith: (req, res) => (req.url === '/first' ? res.end() : req.socket.destroy()),
    });
    await ask(bed.port, '/first');
    expect((await ask(bed.port, '/')).status).toBe(502);
    expect(bed.monolith.seen).toHaveLength(3);
  });
});
