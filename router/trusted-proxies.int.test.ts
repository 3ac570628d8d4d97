import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { ask, sendRaw, type TestbedOptions, testbed } from './test-bed.ts';

const TOLD = [
  'X-Forwarded-For: 203.0.113.9',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: www.shop',
  'X-Forwarded-Port: 443',
  'X-Real-IP: 203.0.113.9',
  'Forwarded: for=1.1.1.1;proto=http',
];

/** What the server behind is told when the router's peer, which is 127.0.0.1, sends `lines`. */
async function toldTo(
  side: 'monolith' | 'service',
  trustedProxies: readonly string[],
  lines: readonly string[],
  options: TestbedOptions = {},
): Promise<IncomingHttpHeaders> {
  await using bed = await testbed({ trustedProxies, ...options });
  const target = side === 'service' ? '/orders/1' : '/';
  await sendRaw(
    bed.port,
    ['GET', target, 'HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n'].join(' ') +
      lines.map((line) => `${line}\r\n`).join('') +
      '\r\n',
  );
  return bed[side].seen[0]?.headers ?? {};
}

const asPeer = {
  'x-forwarded-for': '127.0.0.1',
  'x-forwarded-proto': 'http',
  'x-forwarded-host': 'shop',
  forwarded: 'for=127.0.0.1;host="shop";proto=http',
};

describe.each(['monolith', 'service'] as const)('the %s', (side) => {
  it('is told by a trusted proxy who the client is, and how it came', async () => {
    const headers = await toldTo(side, ['127.0.0.0/8'], TOLD);
    expect(headers).toMatchObject({
      host: 'shop',
      'x-forwarded-for': '203.0.113.9, 127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'www.shop',
      forwarded: 'for=203.0.113.9;host="www.shop";proto=https, for=127.0.0.1;host="www.shop";proto=https',
    });
    expect(headers).not.toHaveProperty('x-forwarded-port');
    expect(headers).not.toHaveProperty('x-real-ip');
  });

  it.each([[[]], [['10.0.0.0/8', 'fd00::/8', '128.0.0.0/1']]])(
    'believes no peer that is not among %j',
    async (trusted) => {
      expect(await toldTo(side, trusted, TOLD)).toMatchObject(asPeer);
    },
  );

  it.each([
    ['underscores', ['X_Forwarded_For: 203.0.113.9', 'X_Forwarded_Proto: https', 'X_Forwarded_Host: evil']],
    ['entries that are no addresses', ['X-Forwarded-For: 1.1.1.1, _hidden', 'X-Forwarded-Proto: gopher']],
    [
      'more than one protocol or host',
      ['X-Forwarded-Proto: https', 'X-Forwarded-Proto: http', 'X-Forwarded-Host: a', 'X-Forwarded-Host: b'],
    ],
    ['a host that would leave its quotes', ['X-Forwarded-Host: a";proto=https;by="b']],
    ['names in Connection', ['Connection: X-Forwarded-For, Forwarded, X-Forwarded-Proto']],
  ])('is told of the proxy alone when that sends %s', async (_, lines) => {
    expect(await toldTo(side, ['127.0.0.1'], lines)).toMatchObject(asPeer);
  });
});

it('is told to identify as well, and to who takes an upgrade', async () => {
  const asked: IncomingHttpHeaders[] = [];
  const identify = async (headers: IncomingHttpHeaders) => {
    asked.push(headers);
    return null;
  };
  await using bed = await testbed({ trustedProxies: ['127.0.0.1'], identify });
  await ask(bed.port, '/orders/1', { headers: { cookie: 'a=b', 'x-forwarded-for': '203.0.113.9' } });
  expect(asked).toMatchObject([{ 'x-forwarded-for': '203.0.113.9, 127.0.0.1' }]);
  bed.monolith.server.on('upgrade', (req, socket) => {
    asked.push(req.headers);
    socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nX-Forwarded-For: 203.0.113.9\r\n';
  await sendRaw(bed.port, `GET /chat HTTP/1.1\r\nHost: shop\r\n${upgrade}\r\n`);
  expect(asked[1]).toMatchObject({ 'x-forwarded-for': '203.0.113.9, 127.0.0.1' });
});
