import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { ask, gate, ordersAt, type Testbed, type TestbedOptions, testbed } from './test-bed.ts';

const POST = (body: string) => ({ method: 'POST', headers: { 'content-length': Buffer.byteLength(body) }, body });

function apply(bed: Testbed, writes: 'monolith' | 'held' | 'service'): void {
  const { version, domains } = ordersAt(100);
  bed.router.apply({ version, domains: { orders: { ...domains.orders, writes } } });
}

async function held(options: TestbedOptions = {}): Promise<Testbed> {
  const bed = await testbed(options);
  apply(bed, 'held');
  return bed;
}

/** Long enough for whatever would come to come. */
const PAUSE_MS = 150;

describe('a write whose domain changes its owner', () => {
  it.each(['monolith', 'service'] as const)('waits, and goes to the new one, whole: %s', async (owner) => {
    await using bed = await held();
    const body = 'é'.repeat(32_000);
    const answers = [ask(bed.port, '/orders', POST(body)), ask(bed.port, '/orders/1/cancel')];
    await sleep(PAUSE_MS);
    expect([bed.monolith.seen, bed.service.seen]).toEqual([[], []]);
    apply(bed, owner);
    expect((await Promise.all(answers)).map(({ status, body }) => [status, body])).toEqual([
      [200, owner],
      [200, owner],
    ]);
    const seen = bed[owner].seen.map(({ method, target, body }) => `${method} ${target} ${body.length}`).sort();
    expect(seen).toEqual(['GET /orders/1/cancel 0', 'POST /orders 32000']);
  });

  it('leaves reads and other writes alone', async () => {
    await using bed = await held();
    expect((await ask(bed.port, '/orders')).body).toBe('service');
    expect((await ask(bed.port, '/elsewhere', POST('x'))).body).toBe('monolith');
  });

  it.each<[string, TestbedOptions, string]>([
    ['waits too long', { limits: { holdTimeoutMs: 50 } }, 'x'],
    ['finds too many waiting', { limits: { maxHeld: 0 } }, 'x'],
    ['is too large to wait', { limits: { holdTimeoutMs: 600_000 } }, 'x'.repeat(65_537)],
  ])('is to be sent again when it %s, and reaches nobody', async (_, options, body) => {
    await using bed = await held(options);
    const { status, headers, body: text } = await ask(bed.port, '/orders', POST(body));
    expect({ status, retry: headers['retry-after'] }).toEqual({ status: 503, retry: '1' });
    expect(JSON.parse(text)).toMatchObject({ code: 'BNY-ROUTER-HELD' });
    apply(bed, 'monolith');
    await sleep(PAUSE_MS);
    expect([bed.monolith.seen, bed.service.seen]).toEqual([[], []]);
  });

  it('is not carried out when its client has left meanwhile', async () => {
    await using bed = await held();
    const request = http.request({ port: bed.port, path: '/orders', method: 'POST', agent: false });
    request.on('error', () => undefined);
    request.end('x'.repeat(60_000));
    await sleep(PAUSE_MS);
    request.destroy();
    await sleep(PAUSE_MS);
    apply(bed, 'monolith');
    await sleep(PAUSE_MS);
    expect(bed.monolith.seen).toEqual([]);
  });

  it('that the monolith has under way is waited for', async () => {
    const { opened, open } = gate();
    await using bed = await testbed({ onMonolith: (_, res) => void opened.then(() => res.end('late')) });
    const answer = ask(bed.port, '/orders', POST('x'));
    await sleep(PAUSE_MS);
    apply(bed, 'held');
    let drained = false;
    const waiting = bed.router.drained('orders').then(() => {
      drained = true;
    });
    await sleep(PAUSE_MS);
    expect(drained).toBe(false);
    open();
    expect((await answer).body).toBe('late');
    await waiting;
    await bed.router.drained('orders');
  });

  it('is not left to the monolith when the service fails at it', async () => {
    await using bed = await testbed({ onService: (req) => req.socket.destroy() });
    apply(bed, 'service');
    expect((await ask(bed.port, '/orders', POST('x'))).status).toBe(502);
    expect(bed.service.seen).toHaveLength(1);
    expect(bed.monolith.seen).toEqual([]);
  });
});
