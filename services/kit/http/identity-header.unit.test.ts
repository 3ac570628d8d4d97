import { describe, expect, it } from '@jest/globals';
import { signIdentity, verifyIdentity } from './identity-header.ts';

const secret = 'one secret';
const header = signIdentity({ user: 7, name: 'Zoë' }, secret, 10_000);
const [payload = '', signature = ''] = header.split('.');

describe('verifyIdentity', () => {
  it('gives back what was signed, until it expires', () => {
    expect(verifyIdentity(header, secret, 9_999)).toEqual({ identity: { user: 7, name: 'Zoë' } });
    expect(verifyIdentity(header, secret, 10_000)).toEqual({ refused: 'expired' });
  });

  const other = Buffer.from('{"identity":{"user":1},"exp":9e9}').toString('base64url');
  it.each([
    ['another payload', `${other}.${signature}`],
    ['another secret', signIdentity({ user: 7 }, 'another secret', 10_000)],
    ['no signature', `${payload}.`],
    ['half a signature', `${payload}.${signature.slice(0, 20)}`],
    ['a longer signature', `${payload}.${signature}AAAA`],
    ['an empty header', '.'],
  ])('refuses %s as forged', (_, forged) => {
    expect(verifyIdentity(forged, secret, 0)).toEqual({ refused: 'forged' });
  });

  it('refuses what is no identity header', () => {
    expect(verifyIdentity('admin', secret, 0)).toEqual({ refused: 'malformed' });
  });
});
