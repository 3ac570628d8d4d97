import http from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { bucketOf } from './session.ts';
import { ask, cookieOf, ordersAt, TESTER, testbed } from './test-bed.ts';

describe('the ramp', () => {
  it('splits sessions as their buckets say, by the monolith’s session cookie', async () => {
    await using bed = await testbed({ percent: 30, sessionCookie: 'sid' });
    for (let session = 0; session < 100; session++) {
      const answer = await ask(bed.port, '/orders', { headers: { cookie: `sid=${session}` } });
      expect(answer.body).toBe(bucketOf('orders', `${session}`) < 30 ? 'service' : 'monolith');
      expect(answer.headers).not.toHaveProperty('set-cookie');
    }
  });

  it('names a session that has no name, and keeps it on its side', async () => {
    await using bed = await testbed({ percent: 50 });
    for (let client = 0; client < 20; client++) {
      const first = await ask(bed.port, '/orders');
      expect(first.headers['set-cookie']?.[0]).toMatch(
        /^banyan_session=[0-9a-f-]{36}; Path=\/; HttpOnly; SameSite=Lax$/,
      );
      const headers = { cookie: `banyan_session=${cookieOf(first, 'banyan_session')}` };
      for (let read = 0; read < 5; read++) {
        const again = await ask(bed.port, `/orders/${read}`, { headers });
        expect(again.body).toBe(first.body);
        expect(again.headers).not.toHaveProperty('set-cookie');
      }
    }
  });

  it.each([0, 100])('needs no names at %s %%', async (percent) => {
    await using bed = await testbed({ percent });
    expect((await ask(bed.port, '/orders')).headers).not.toHaveProperty('set-cookie');
  });

  it('gives no cookies to requests outside it', async () => {
    await using bed = await testbed({ percent: 50 });
    expect((await ask(bed.port, '/unlisted')).headers).not.toHaveProperty('set-cookie');
  });

  it.each<[string, Record<string, string>, string]>([
    ['who asks for the monolith', { 'banyan-tester': TESTER, 'banyan-prefer': 'monolith' }, 'monolith'],
    ['who asks for nothing', { 'banyan-tester': TESTER }, 'service'],
    ['who asks for something else', { 'banyan-tester': TESTER, 'banyan-prefer': 'x' }, 'service'],
    ['with a wrong token', { 'banyan-tester': `${TESTER}x`, 'banyan-prefer': 'monolith' }, 'service'],
    [
      'with a token as long but wrong',
      { 'banyan-tester': 'x'.repeat(TESTER.length), 'banyan-prefer': 'monolith' },
      'service',
    ],
    ['without a token', { 'banyan-prefer': 'monolith' }, 'service'],
  ])('gives a tester %s the right side', async (_, headers, side) => {
    await using bed = await testbed();
    expect((await ask(bed.port, '/orders', { headers })).body).toBe(side);
  });

  it('lets a tester see the service before anybody else', async () => {
    await using bed = await testbed({ percent: 0 });
    const headers = { 'banyan-tester': TESTER, 'banyan-prefer': 'service' };
    const answer = await ask(bed.port, '/orders', { headers });
    expect(answer.headers['banyan-served-by']).toBe('service;domain=orders;reason=tester');
  });

  it('sends everything to the monolith until a state is applied', async () => {
    await using bed = await testbed({ percent: 'none' });
    expect((await ask(bed.port, '/orders')).body).toBe('monolith');
  });
});

describe('apply', () => {
  it('holds from the next request on, and drops none under load', async () => {
    await using bed = await testbed({ percent: 0 });
    const agent = new http.Agent({ keepAlive: true });
    const sides = { monolith: 0, service: 0 };
    let version = 1;
    const client = async () => {
      for (let read = 0; read < 50; read++) {
        const percent = version % 2 === 0 ? 100 : 0;
        bed.router.apply(ordersAt(percent, ++version));
        const answer = await ask(bed.port, '/orders', { agent });
        expect(answer.status).toBe(200);
        sides[answer.body as keyof typeof sides]++;
      }
    };
    await Promise.all(Array.from({ length: 20 }, client));
    agent.destroy();
    expect(sides.monolith + sides.service).toBe(1_000);
    expect(sides.monolith).toBeGreaterThan(0);
    expect(sides.service).toBeGreaterThan(0);
    bed.router.apply(ordersAt(100, ++version));
    expect((await ask(bed.port, '/orders')).body).toBe('service');
    bed.router.apply(ordersAt(0, ++version));
    expect((await ask(bed.port, '/orders')).body).toBe('monolith');
  });

  it('refuses a state that makes no sense, and stays with the former one', async () => {
    await using bed = await testbed({ percent: 100 });
    for (const domains of [
      { shops: { percent: 1, serveable: true } },
      { orders: { percent: 101, serveable: true } },
      { orders: { percent: NaN, serveable: true } },
    ]) {
      expect(() => bed.router.apply({ version: 2, domains })).toThrow('BNY-ROUTER-STATE');
    }
    expect((await ask(bed.port, '/orders')).body).toBe('service');
  });

  it('is not touched by what its caller does to the state afterwards', async () => {
    await using bed = await testbed();
    const state = ordersAt(100, 2);
    bed.router.apply(state);
    state.domains.orders.percent = 0;
    expect((await ask(bed.port, '/orders')).body).toBe('service');
  });
});
