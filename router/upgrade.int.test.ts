import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import net, { type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { verifyIdentity } from '../services/kit/http/identity-header.ts';
import {
  ask,
  gate,
  metricsOf,
  type Recorder,
  SECRET,
  sendRaw,
  statusOf,
  type Testbed,
  type TestbedOptions,
  testbed,
  until,
} from './test-bed.ts';

interface Upgraded {
  req: IncomingMessage;
  socket: Socket;
}

/** Takes upgrades, records them, and says everything back in capitals. */
function shouting({ server }: Recorder): Upgraded[] {
  const upgraded: Upgraded[] = [];
  server.on('upgrade', (req: IncomingMessage, socket: Socket) => {
    upgraded.push({ req, socket });
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.on('data', (data) => socket.write(`${data}`.toUpperCase()));
    socket.on('end', () => socket.end());
  });
  return upgraded;
}

async function shoutingBed(options: TestbedOptions = {}) {
  const bed = await testbed(options);
  return { bed, onMonolith: shouting(bed.monolith), onService: shouting(bed.service) };
}

function upgradeOf(target: string, ...headers: string[]): string {
  const head = [
    `GET ${target} HTTP/1.1`,
    'Host: shop',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: x',
    ...headers,
  ];
  return `${head.join('\r\n')}\r\n\r\n`;
}

/** A client that has been answered with 101. */
async function connected({ port }: Testbed, request: string): Promise<Socket> {
  const socket = net.connect(port, '127.0.0.1').setEncoding('latin1');
  socket.write(request);
  const [head] = await once(socket, 'data');
  expect(head).toMatch(/^HTTP\/1\.1 101 /);
  return socket;
}

async function say(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = await once(socket, 'data');
  return answer;
}

describe('a WebSocket', () => {
  it.each(['/chat', 'http://shop/chat', '//orders/1', '//', '/orders/%2e', '/orders/1?_method=x', '/orders/1/cancel'])(
    'to %s is the monolith’s',
    async (target) => {
      const { bed, onMonolith, onService } = await shoutingBed();
      await using _ = bed;
      const socket = await connected(
        bed,
        upgradeOf(target, 'Cookie: sid=a', 'Banyan-Identity: forged', 'X-Forwarded-For: 1.1.1.1'),
      );
      expect(await say(socket, 'hello')).toBe('HELLO');
      expect(await say(socket, 'again')).toBe('AGAIN');
      expect(onService).toEqual([]);
      expect(onMonolith.map(({ req }) => req.url)).toEqual([target]);
      expect(onMonolith[0]?.req.headers).toMatchObject({
        cookie: 'sid=a',
        'sec-websocket-key': 'x',
        'x-forwarded-for': '127.0.0.1',
      });
      expect(onMonolith[0]?.req.headers).not.toHaveProperty('banyan-identity');
      socket.destroy();
    },
  );

  it('to a read that has been moved is the service’s, with identity and without credentials', async () => {
    const { bed, onMonolith, onService } = await shoutingBed({ identify: async () => ({ name: 'ann' }) });
    await using _ = bed;
    const socket = await connected(bed, upgradeOf('/orders/1', 'Cookie: sid=a'));
    expect(await say(socket, 'hello')).toBe('HELLO');
    const { headers = {} } = onService[0]?.req ?? {};
    expect(verifyIdentity(String(headers['banyan-identity']), SECRET)).toEqual({ identity: { name: 'ann' } });
    expect(headers).not.toHaveProperty('cookie');
    expect(onMonolith).toEqual([]);
    expect(await metricsOf(bed)).toContain('{domain="orders",side="service",reason="ramp",status="1xx"} 1');
    socket.destroy();
  });

  it('goes to the monolith when it cannot be found out who asks', async () => {
    const { bed, onMonolith } = await shoutingBed({ identify: () => Promise.reject(new Error('down')) });
    await using _ = bed;
    (await connected(bed, upgradeOf('/orders/1', 'Cookie: sid=a'))).destroy();
    expect(onMonolith).toHaveLength(1);
  });

  it('passes on what the client sent together with its request', async () => {
    const { bed, onMonolith } = await shoutingBed();
    await using _ = bed;
    const socket = await connected(bed, `${upgradeOf('/chat')}early`);
    const heard = once(onMonolith[0]?.socket as Socket, 'data');
    expect(String((await heard)[0])).toBe('early');
    socket.destroy();
  });

  it('is refused as the server behind refuses it', async () => {
    await using bed = await testbed();
    bed.monolith.server.on('upgrade', (_req, socket) =>
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'),
    );
    const answer = await sendRaw(bed.port, upgradeOf('/chat'));
    expect(statusOf(answer)).toBe(403);
    expect(answer.endsWith('\r\n\r\nno')).toBe(true);
  });

  it.each([
    ['nothing listens behind', { monolith: 'http://127.0.0.1:1' }, '/chat', 502, 'BNY-ROUTER-UNREACHABLE'],
    ['the path is not canonical and paths are strict', { strict: true }, '//orders', 400, 'BNY-ROUTER-NOT-CANONICAL'],
  ])('is refused when %s', async (_, options, target, status, code) => {
    await using bed = await testbed(options);
    const answer = await sendRaw(bed.port, upgradeOf(target));
    expect(statusOf(answer)).toBe(status);
    expect(answer).toContain(code);
  });

  it('with a body is a request like any other', async () => {
    const { bed, onMonolith, onService } = await shoutingBed();
    await using _ = bed;
    const answer = await sendRaw(bed.port, `${upgradeOf('/orders/1', 'Content-Length: 2')}hi`);
    expect(statusOf(answer)).toBe(200);
    expect(bed.monolith.seen).toMatchObject([{ target: '/orders/1', body: 'hi' }]);
    expect([...onMonolith, ...onService]).toEqual([]);
  });

  it('is refused with two Hosts', async () => {
    const { bed, onMonolith } = await shoutingBed();
    await using _ = bed;
    expect(statusOf(await sendRaw(bed.port, upgradeOf('/chat', 'Host: evil')))).toBe(400);
    expect(onMonolith).toEqual([]);
  });

  it('ends on both sides when the client is gone', async () => {
    const { bed, onMonolith } = await shoutingBed();
    await using _ = bed;
    const socket = await connected(bed, upgradeOf('/chat'));
    const closed = once(onMonolith[0]?.socket as Socket, 'close');
    socket.resetAndDestroy();
    await closed;
  });

  it('ends on both sides when the server is gone', async () => {
    const { bed, onMonolith } = await shoutingBed();
    await using _ = bed;
    const socket = await connected(bed, upgradeOf('/chat'));
    socket.on('error', () => {});
    const closed = once(socket, 'close');
    onMonolith[0]?.socket.resetAndDestroy();
    await closed;
  });

  it('does no harm when the client resets it while it is being found out who asks', async () => {
    const arrived = gate();
    const { promise, resolve } = Promise.withResolvers<null>();
    const identify = () => {
      arrived.open();
      return promise;
    };
    const { bed, onMonolith, onService } = await shoutingBed({ identify });
    await using _ = bed;
    const socket = net.connect(bed.port, '127.0.0.1').on('error', () => {});
    socket.write(upgradeOf('/orders/1', 'Cookie: sid=a'));
    await arrived.opened;
    socket.resetAndDestroy();
    await ask(bed.port, '/');
    resolve(null);
    await ask(bed.port, '/');
    expect([...onMonolith, ...onService]).toEqual([]);
  });

  it('does no harm when the client resets it while the server still thinks', async () => {
    await using bed = await testbed({ breaker: { failures: 1, delayMs: 60_000 } });
    const arrived = gate();
    const left = gate();
    bed.service.server.on('upgrade', (_req, socket) => {
      socket
        .on('error', () => {})
        .on('end', () => socket.end())
        .on('close', left.open);
      arrived.open();
    });
    const socket = net.connect(bed.port, '127.0.0.1').on('error', () => {});
    socket.write(upgradeOf('/orders/1'));
    await arrived.opened;
    socket.resetAndDestroy();
    await left.opened;
    await until(async () => (await metricsOf(bed)).includes('side="service"'));
    expect(await metricsOf(bed)).toContain('banyan_router_breaker_open{domain="orders"} 0');
  });
});
