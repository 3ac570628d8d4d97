import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isNetwork, networksOf } from './networks.ts';
import { originOf } from './origin.ts';

const TRUSTED = networksOf(['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '::1']);

function from(peer: string, headers: Record<string, string> = {}) {
  const req = { socket: { remoteAddress: peer } } as unknown as IncomingMessage;
  return originOf(req, { host: 'shop', ...headers }, TRUSTED);
}

describe('where a request comes from', () => {
  it.each(['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7', 'fd00::5', '::1'])('a trusted %s tells', (peer) => {
    const told = {
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'www.shop:8443',
    };
    const address = peer.replace('::ffff:', '');
    expect(from(peer, told)).toEqual({
      addresses: ['203.0.113.9', address],
      proto: 'https',
      host: 'www.shop:8443',
    });
    expect(from(peer)).toEqual({ addresses: [address], proto: 'http', host: 'shop' });
  });

  it.each(['11.1.2.3', '::ffff:11.1.2.3', '192.0.2.8', 'fe80::5%eth0', '::2', 'unknown'])('%s cannot tell', (peer) => {
    const told = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil' };
    expect(from(peer, told)).toEqual(from(peer));
  });

  it.each([
    ['203.0.113.9, 198.51.100.1', ['203.0.113.9', '198.51.100.1']],
    [' 203.0.113.9:4711 ,[2001:db8::1]:80', ['203.0.113.9', '2001:db8::1']],
    ['2001:db8::1', ['2001:db8::1']],
    ['', []],
    ['unknown', []],
    ['203.0.113.9, unknown', []],
    ['evil"; proto=https, 203.0.113.9', ['203.0.113.9']],
    ['1.1.1.1, <script>, 203.0.113.9', ['203.0.113.9']],
    ['1.1.1.1,, 203.0.113.9', ['203.0.113.9']],
    ['999.1.1.1', []],
  ])('of %j counts what is an address, back to the first entry that is none', (path, addresses) => {
    expect(from('10.0.0.1', { 'x-forwarded-for': path }).addresses).toEqual([...addresses, '10.0.0.1']);
  });

  it.each(['HTTPX', 'https, http', 'wss', 'https;', ''])('is not by the protocol %j', (proto) => {
    expect(from('10.0.0.1', { 'x-forwarded-proto': proto }).proto).toBe('http');
  });

  it.each(['', 'a b', 'a"b', 'a, b', 'a/b', 'a\\b', 'ä'])('is not at the host %j', (host) => {
    expect(from('10.0.0.1', { 'x-forwarded-host': host }).host).toBe('shop');
  });

  it('is made of addresses, whatever a proxy sends', () => {
    const garbage = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.constantFrom(',', ', ', '[', ']:80', '%eth0'));
    fc.assert(
      fc.property(fc.array(garbage), (parts) => {
        const { addresses } = from('10.0.0.1', { 'x-forwarded-for': parts.join('') });
        expect(addresses.filter((address) => isIP(address) === 0)).toEqual([]);
        expect(addresses.join()).toMatch(/^[\w.:%,-]+$/);
      }),
    );
  });
});

describe('a network', () => {
  it.each(['10.0.0.0/8', '10.0.0.1', '0.0.0.0/0', '::1', 'fd00::/8', '::/128'])('is %s', (text) => {
    expect(isNetwork(text)).toBe(true);
  });
  it.each(['10.0.0.0/33', '10.0.0', '::/129', 'fe80::1%eth0', 'balancer', '', '/8', '10.0.0.0/', '10.0.0.0/8/8'])(
    'is not %j',
    (text) => expect(isNetwork(text)).toBe(false),
  );
});
