import { describe, expect, it } from '@jest/globals';
import { ask, cookieOf, gate, metricsOf, testbed, until } from './test-bed.ts';

describe('the answer to a write', () => {
  it('tells the position that the session’s reads must show', async () => {
    await using bed = await testbed({ positionTtlSeconds: 7 });
    for (const [method, target] of [
      ['POST', '/orders'],
      ['PUT', '/unlisted'],
      ['GET', '/orders/1/cancel'],
    ] as const) {
      const answer = await ask(bed.port, target, { method });
      expect(answer.headers['banyan-position']).toBe('p1');
      expect(answer.headers['set-cookie']).toEqual(['banyan_position=p1; Path=/; Max-Age=7; HttpOnly; SameSite=Lax']);
      expect(answer.body).toBe('monolith');
    }
  });

  it('sends cookies over HTTPS alone where the site is reached by it', async () => {
    await using bed = await testbed({ secureCookies: true, percent: 50 });
    const write = await ask(bed.port, '/orders', { method: 'POST' });
    const read = await ask(bed.port, '/orders');
    const cookies = [...(write.headers['set-cookie'] ?? []), ...(read.headers['set-cookie'] ?? [])];
    expect(cookies).toEqual([
      expect.stringMatching(/^banyan_position=.*; Secure$/),
      expect.stringMatching(/^banyan_session=.*; Secure$/),
    ]);
  });

  it('keeps the monolith’s own cookies, and only the router’s own position', async () => {
    await using bed = await testbed({
      onMonolith: (_req, res) => res.writeHead(201, { 'set-cookie': ['a=1', 'b=2'], 'banyan-position': 'mine' }).end(),
    });
    const { headers, status } = await ask(bed.port, '/orders', { method: 'POST' });
    expect(status).toBe(201);
    expect(headers['set-cookie']).toMatchObject(['a=1', 'b=2', expect.stringContaining('banyan_position=p1')]);
    expect(headers['banyan-position']).toBe('p1');
  });

  it('says nothing after a read, a failure or a question about options', async () => {
    await using bed = await testbed({
      onMonolith: (req, res) => res.writeHead(req.method === 'POST' ? 500 : 200).end(),
    });
    for (const [method, target] of [
      ['GET', '/'],
      ['HEAD', '/'],
      ['OPTIONS', '/'],
      ['POST', '/'],
    ] as const) {
      const answer = await ask(bed.port, target, { method });
      expect(answer.headers).not.toHaveProperty('banyan-position');
      expect(answer.headers).not.toHaveProperty('set-cookie');
    }
  });

  it('takes a position that was asked for after the monolith had answered', async () => {
    let committed = 0;
    const positions: number[] = [];
    await using bed = await testbed({
      // A query sees what was committed when it began, and takes a while.
      head: async () => {
        const position = committed;
        await new Promise((resolve) => setTimeout(resolve, 5));
        return `${position}`;
      },
      limits: { positionTimeoutMs: 60_000 },
      onMonolith: (_req, res) => {
        committed++;
        res.writeHead(200, { commit: committed }).end();
      },
    });
    const write = async () => {
      const { headers } = await ask(bed.port, '/orders', { method: 'POST' });
      positions.push(Number(headers['banyan-position']) - Number(headers['commit']));
    };
    await Promise.all(Array.from({ length: 50 }, write));
    expect(Math.min(...positions)).toBeGreaterThanOrEqual(0);
  });

  it('shares one query among all that wait', async () => {
    const asked = gate();
    const answered = gate();
    let queries = 0;
    await using bed = await testbed({
      head: async () => {
        queries++;
        asked.open();
        await answered.opened;
        return 'p';
      },
      limits: { positionTimeoutMs: 60_000 },
    });
    const first = ask(bed.port, '/orders', { method: 'POST' });
    await asked.opened;
    const others = Array.from({ length: 20 }, () => ask(bed.port, '/orders', { method: 'POST' }));
    await until(() => bed.monolith.seen.length === 21);
    answered.open();
    await Promise.all([first, ...others]);
    expect(queries).toBeGreaterThan(1);
    expect(queries).toBeLessThan(10);
  });

  it.each<[string, () => Promise<string>]>([
    ['takes too long', () => new Promise(() => {})],
    ['fails', () => Promise.reject(new Error('gone'))],
    ['gives what cannot stand in a header', async () => 'p\r\nSet-Cookie: x=y'],
  ])('sends the session to the monolith when the position %s', async (_, head) => {
    await using bed = await testbed({ head });
    const answer = await ask(bed.port, '/orders', { method: 'POST' });
    expect(answer).toMatchObject({ status: 200, body: 'monolith' });
    const position = cookieOf(answer, 'banyan_position');
    expect(position).toBe('monolith');
    const read = await ask(bed.port, '/orders', { headers: { cookie: `banyan_position=${position}` } });
    expect(read.headers['banyan-served-by']).toBe('monolith;domain=orders;reason=position-unknown');
    expect(await metricsOf(bed)).toMatch(/banyan_router_positions_missed_total\{reason="(timeout|error)"\} 1/);
  });

  it('reaches the client in full after a wait for the position', async () => {
    const body = 'x'.repeat(5_000_000);
    await using bed = await testbed({
      head: () => new Promise((resolve) => setTimeout(() => resolve('p'), 10)),
      onMonolith: (_req, res) => res.end(body),
    });
    const answer = await ask(bed.port, '/orders', { method: 'POST' });
    expect(answer.body.length).toBe(body.length);
  });
});

describe('a read of a service', () => {
  it.each<[string, Record<string, string>, string | undefined]>([
    ['the cookie’s position', { cookie: 'banyan_position=mysql:1-2.3_4' }, 'mysql:1-2.3_4'],
    ['a client’s own position', { 'banyan-min-position': 'p9' }, 'p9'],
    [
      'a client’s own position rather than the cookie’s',
      { cookie: 'banyan_position=p1', 'banyan-min-position': 'p9' },
      'p9',
    ],
    ['no position that is none', { cookie: 'banyan_position="p 1"', 'banyan-min-position': 'p/9' }, undefined],
    ['no position that is too long', { cookie: `banyan_position=${'p'.repeat(101)}` }, undefined],
    ['no position where there is none', {}, undefined],
  ])('is told %s', async (_, headers, position) => {
    await using bed = await testbed();
    await ask(bed.port, '/orders/1', { headers });
    expect(bed.service.seen[0]?.headers['banyan-min-position']).toBe(position);
  });

  it('goes to the monolith when two positions contradict each other', async () => {
    await using bed = await testbed();
    await ask(bed.port, '/orders/1', { headers: { cookie: 'banyan_position=p1; banyan_position=p2' } });
    expect(bed.service.seen).toEqual([]);
  });
});
