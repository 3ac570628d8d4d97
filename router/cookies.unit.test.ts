import { describe, expect, it } from '@jest/globals';
import { cookieValue, setCookie } from './cookies.ts';

describe('cookieValue', () => {
  it.each<[string | undefined, string | null | undefined]>([
    ['sid=a', 'a'],
    ['x=1; sid=a; y=2', 'a'],
    ['x=1;sid=a', 'a'],
    ['x=sid=b; sid=a=c', 'a=c'],
    ['sid =a', 'a'],
    ['sid=', ''],
    ['xsid=b; sidx=c; SID=d', undefined],
    ['sid', undefined],
    ['', undefined],
    [undefined, undefined],
    ['sid=a; sid=a', 'a'],
    ['sid=a; sid=b', null],
    ['sid=a; sid =b', null],
  ])('finds sid in %j: %j', (header, value) => {
    expect(cookieValue(header, 'sid')).toBe(value);
  });
});

describe('setCookie', () => {
  it('keeps scripts and other sites away', () => {
    expect(setCookie('a', 'b', { secure: false })).toBe('a=b; Path=/; HttpOnly; SameSite=Lax');
    expect(setCookie('a', 'b', { secure: true, maxAgeSeconds: 5 })).toBe(
      'a=b; Path=/; Max-Age=5; HttpOnly; SameSite=Lax; Secure',
    );
  });
});
