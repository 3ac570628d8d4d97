import { describe, expect, it } from '@jest/globals';
import { ask, ordersAt, type Testbed, testbed } from './test-bed.ts';

function admin({ router }: Testbed, target: string, options: { method?: string; host?: string } = {}) {
  const { host, port } = new URL(router.adminUrl);
  return ask(Number(port), target, { method: options.method ?? 'GET', headers: { host: options.host ?? host } });
}

describe('the admin port', () => {
  it('is on loopback and apart from the public port', async () => {
    await using bed = await testbed();
    expect(new URL(bed.router.adminUrl).hostname).toBe('127.0.0.1');
    for (const path of ['/livez', '/readyz', '/metrics', '/state']) {
      expect((await ask(bed.port, path)).body).toBe('monolith');
    }
  });

  it('is ready once a state has been applied', async () => {
    await using bed = await testbed({ percent: 'none' });
    expect((await admin(bed, '/livez')).status).toBe(200);
    expect((await admin(bed, '/readyz')).status).toBe(503);
    bed.router.apply(ordersAt(0));
    expect((await admin(bed, '/readyz')).status).toBe(200);
  });

  it('shows the routing state', async () => {
    await using bed = await testbed({ percent: 25 });
    expect(JSON.parse((await admin(bed, '/state')).body)).toEqual(ordersAt(25));
  });

  it('counts requests by who answered and why', async () => {
    await using bed = await testbed();
    await ask(bed.port, '/orders');
    await ask(bed.port, '/orders');
    await ask(bed.port, '/');
    const { body, headers } = await admin(bed, '/metrics');
    expect(headers['content-type']).toContain('text/plain; version=0.0.4');
    expect(body).toContain('banyan_router_requests_total{domain="orders",side="service",reason="ramp",status="2xx"} 2');
    expect(body).toContain('banyan_router_requests_total{domain="-",side="monolith",reason="unlisted",status="2xx"} 1');
    expect(body).toContain('banyan_router_breaker_open{domain="orders"} 0');
    expect(body).toContain('# TYPE banyan_router_request_duration_seconds histogram');
    expect(body).toContain('banyan_router_request_duration_seconds_bucket{side="service",le="+Inf"} 2');
    expect(body).toContain('banyan_router_request_duration_seconds_count{side="monolith"} 1');
  });

  it.each(['evil.example', '127.0.0.1', 'evil.example:80'])('does not answer to the Host %j', async (host) => {
    await using bed = await testbed();
    const answer = await admin(bed, '/state', { host });
    expect(answer.status).toBe(421);
    expect(answer.body).not.toContain('domains');
    expect(answer.body).toContain('router.adminAllowedHosts');
  });

  it('answers to Hosts that were allowed, and to localhost', async () => {
    await using bed = await testbed({ admin: { allowedHosts: ['router.internal'] } });
    const { port } = new URL(bed.router.adminUrl);
    for (const host of ['router.internal', `localhost:${port}`]) {
      expect((await admin(bed, '/livez', { host })).status).toBe(200);
    }
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('changes nothing on %s', async (method) => {
    await using bed = await testbed();
    for (const path of ['/state', '/livez', '/readyz', '/metrics']) {
      expect((await admin(bed, path, { method })).status).toBe(404);
    }
  });
});
