import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { ask, gate, testbed, until } from './test-bed.ts';

describe('close', () => {
  it('fails readiness, refuses new connections, and lets what is under way finish', async () => {
    const goOn = gate();
    await using bed = await testbed({
      limits: { drainTimeoutMs: 600_000 },
      onMonolith: async (_req, res) => {
        res.write('first half, ');
        await goOn.opened;
        res.end('second half');
      },
    });
    const agent = new http.Agent({ keepAlive: true });
    const req = http.get({ host: '127.0.0.1', port: bed.port, agent });
    const [underWay] = await once(req, 'response');
    expect(underWay.headers.connection).toBe('keep-alive');
    const closed = bed.router.close();
    const ready = await fetch(`${bed.router.adminUrl}/readyz`);
    expect(ready.status).toBe(503);
    expect((await fetch(`${bed.router.adminUrl}/livez`)).status).toBe(200);
    await expect(ask(bed.port, '/')).rejects.toThrow('ECONNREFUSED');
    goOn.open();
    expect((await underWay.toArray()).join('')).toBe('first half, second half');
    await closed;
    agent.destroy();
    await expect(fetch(`${bed.router.adminUrl}/livez`)).rejects.toThrow();
  });

  it('tells the client of an answer that begins now to come back on another connection', async () => {
    const arrived = gate();
    const goOn = gate();
    await using bed = await testbed({
      onMonolith: async (_req, res) => {
        arrived.open();
        await goOn.opened;
        res.end();
      },
    });
    const agent = new http.Agent({ keepAlive: true });
    const underWay = ask(bed.port, '/', { agent });
    await arrived.opened;
    const closed = bed.router.close();
    goOn.open();
    expect((await underWay).headers.connection).toBe('close');
    await closed;
    agent.destroy();
  });

  it('closes connections that are idle', async () => {
    await using bed = await testbed();
    const agent = new http.Agent({ keepAlive: true });
    await ask(bed.port, '/', { agent });
    await bed.router.close();
    agent.destroy();
  });

  it('cuts off what is not over by the deadline', async () => {
    await using bed = await testbed({ onMonolith: () => {}, limits: { drainTimeoutMs: 50 } });
    const hanging = ask(bed.port, '/');
    await until(() => bed.monolith.seen.length === 1);
    await Promise.all([bed.router.close(), expect(hanging).rejects.toThrow('hang up')]);
  });

  it('cuts off WebSockets at the deadline', async () => {
    await using bed = await testbed({ limits: { drainTimeoutMs: 50 } });
    bed.monolith.server.on('upgrade', (_req, socket) => {
      socket.on('error', () => {}).on('end', () => socket.end());
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    });
    const socket = net.connect(bed.port, '127.0.0.1').on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await once(socket, 'data');
    socket.resume();
    await Promise.all([bed.router.close(), once(socket, 'close')]);
  });

  it('may be called twice', async () => {
    await using bed = await testbed();
    await Promise.all([bed.router.close(), bed.router.close()]);
  });
});
