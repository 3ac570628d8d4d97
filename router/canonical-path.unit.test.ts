import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type NotCanonical, parseTarget } from './canonical-path.ts';

describe('parseTarget', () => {
  it.each([
    ['/', '/', ''],
    ['/orders/17', '/orders/17', ''],
    ['/orders/', '/orders/', ''],
    ['/orders?', '/orders', '?'],
    ['/orders?x=//..;%2f%00#é', '/orders', '?x=//..;%2f%00#é'],
    ["/a-b._~!$&'()*+,=:@", "/a-b._~!$&'()*+,=:@", ''],
    ['/caf%C3%A9/%F0%9F%8C%B3', '/caf%C3%A9/%F0%9F%8C%B3', ''],
    ['/100%25', '/100%25', ''],
    ['/a%20b%3Fc', '/a%20b%3Fc', ''],
    ['/...', '/...', ''],
    ['/.well-known', '/.well-known', ''],
  ])('takes %s, whose path has one reading', (target, path, query) => {
    expect(parseTarget(target)).toEqual({ canonical: true, path, query });
  });

  const flaws: [string, NotCanonical][] = [
    ['', 'not-origin-form'],
    ['*', 'not-origin-form'],
    ['http://evil/orders/1', 'not-origin-form'],
    ['evil:443', 'not-origin-form'],
    ['orders/1', 'not-origin-form'],
    ['//', 'empty-segment'],
    ['//orders/1', 'empty-segment'],
    ['/orders//1', 'empty-segment'],
    ['/orders/1//', 'empty-segment'],
    ['/.', 'dot-segment'],
    ['/./orders', 'dot-segment'],
    ['/x/../orders', 'dot-segment'],
    ['/orders/..', 'dot-segment'],
    ['/orders/.?x', 'dot-segment'],
    ['/orders/%2e%2e/users', 'lower-case-escape'],
    ['/orders/%2E%2E/users', 'needless-escape'],
    ['/%4Frders', 'needless-escape'],
    ['/%70osts', 'needless-escape'],
    ['/orders/%7E', 'needless-escape'],
    ['/orders%2F1', 'escaped-separator'],
    ['/orders%5C1', 'escaped-separator'],
    ['/orders%2f1', 'lower-case-escape'],
    ['/orders/%c3%a9', 'lower-case-escape'],
    ['/orders/%00', 'escaped-control'],
    ['/orders/%0D%0A', 'escaped-control'],
    ['/orders/%7F', 'escaped-control'],
    ['/orders;a=b/1', 'path-parameter'],
    ['/orders/..;/users', 'path-parameter'],
    ['/orders%3Ba/1', 'path-parameter'],
    ['/orders/%252F', 'double-escape'],
    ['/orders/%252e%252e', 'double-escape'],
    ['/orders/%', 'bad-escape'],
    ['/orders/%2', 'bad-escape'],
    ['/orders/%zz', 'bad-escape'],
    ['/orders/%u0041', 'bad-escape'],
    ['/orders/%FF', 'bad-utf8'],
    ['/orders/%C0%AF', 'bad-utf8'],
    ['/orders/%E0%80%AF', 'bad-utf8'],
    ['/orders/%ED%A0%80', 'bad-utf8'],
    ['/orders/%F4%90%80%80', 'bad-utf8'],
    ['/orders/%C3', 'bad-utf8'],
    ['/orders/%C3x', 'bad-utf8'],
    ['/orders\\1', 'unescaped'],
    ['/orders/a b', 'unescaped'],
    ['/orders/\t', 'unescaped'],
    ['/orders/\0', 'unescaped'],
    ['/orders/\x7f', 'unescaped'],
    ['/orders/\xc3\xa9', 'unescaped'],
    ['/orders/"<>^`{|}', 'unescaped'],
    ['/orders/1#x', 'fragment'],
  ];
  it.each(flaws)('finds that %j is not canonical: %s', (target, reason) => {
    expect(parseTarget(target)).toEqual({ canonical: false, reason });
  });

  it('takes no path that a URL parser or a second unescaping would read as another one', () => {
    const piece = fc.constantFrom(
      '/',
      '.',
      '..',
      '%2E',
      '%2F',
      '%25',
      '%C3%A9',
      '%41',
      ';',
      '\\',
      '\t',
      'a',
      'é',
      '?',
      '#',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const target = `/${pieces.join('')}`;
        const parsed = parseTarget(target);
        if (!parsed.canonical) return;
        expect(new URL(`http://host${target}`).pathname).toBe(parsed.path);
        expect(encodeURI(decodeURI(parsed.path))).toBe(parsed.path);
        expect(parsed.path + parsed.query).toBe(target);
      }),
      { numRuns: 2_000 },
    );
  });
});
