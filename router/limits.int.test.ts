import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { ask, sendRaw, statusOf, testbed } from './test-bed.ts';

describe('the router', () => {
  it('answers 504 for a monolith that is silent', async () => {
    await using bed = await testbed({ onMonolith: () => {}, limits: { upstreamTimeoutMs: 50 } });
    const answer = await ask(bed.port, '/');
    expect(answer).toMatchObject({ status: 504, headers: { 'content-type': 'application/problem+json' } });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 504, code: 'BNY-ROUTER-TIMEOUT' });
  });

  it('cuts off an answer that falls silent', async () => {
    await using bed = await testbed({
      onMonolith: (_req, res) => void res.write('half'),
      limits: { upstreamTimeoutMs: 50 },
    });
    await expect(ask(bed.port, '/')).rejects.toThrow('aborted');
  });

  it('answers 502 for a monolith that is not there', async () => {
    await using bed = await testbed({ monolith: 'http://127.0.0.1:1' });
    expect(JSON.parse((await ask(bed.port, '/')).body)).toMatchObject({ status: 502, code: 'BNY-ROUTER-UNREACHABLE' });
  });

  it('answers 502 for a monolith whose answer is not HTTP', async () => {
    await using bed = await testbed({ onMonolith: (req) => req.socket.end('HTTP/1.1 099 No\r\n\r\n') });
    expect((await ask(bed.port, '/')).status).toBe(502);
    expect((await ask(bed.port, '/', { method: 'POST' })).status).toBe(502);
  });

  it('answers 504 for a monolith that accepts no connection', async () => {
    // A listener whose process sleeps: once its queue is full, the kernel leaves further connects without answer.
    const script = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
      require('fs').writeSync(1, this.address().port + '\\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    })`;
    const sleeper = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = await once(sleeper.stdout, 'data');
    const queued = Array.from({ length: 4 }, () => net.connect(Number(line), '127.0.0.1').on('error', () => {}));
    await once(queued[0] as net.Socket, 'connect');
    await using bed = await testbed({
      monolith: `http://127.0.0.1:${Number(line)}`,
      limits: { connectTimeoutMs: 100 },
    });
    expect((await ask(bed.port, '/')).status).toBe(504);
    for (const socket of queued) socket.destroy();
    sleeper.kill('SIGKILL');
    await once(sleeper, 'exit');
  });

  it('waits for the head of a request only so long', async () => {
    await using bed = await testbed({ limits: { headersTimeoutMs: 100 } });
    expect(statusOf(await sendRaw(bed.port, 'GET / HTTP/1.1\r\nHost: shop\r\nX-Slow: '))).toBe(408);
    expect(bed.monolith.seen).toEqual([]);
  });

  it('waits for the body of a request only so long', async () => {
    await using bed = await testbed({ limits: { headersTimeoutMs: 100, requestTimeoutMs: 200 } });
    expect(statusOf(await sendRaw(bed.port, 'POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhal'))).toBe(
      408,
    );
  });

  it('takes only so many connections', async () => {
    await using bed = await testbed({ limits: { maxConnections: 1 } });
    const first = net.connect(bed.port, '127.0.0.1');
    await once(first, 'connect');
    expect(await sendRaw(bed.port, 'GET / HTTP/1.1\r\nHost: shop\r\n\r\n')).toBe('');
    first.destroy();
  });
});
