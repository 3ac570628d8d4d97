import { describe, expect, it } from '@jest/globals';
import { compileRoutes, type RouteDeclaration } from './routes.ts';

function route(declaration: string): RouteDeclaration {
  const [method = '', path = '', domain = 'orders', kind = 'read'] = declaration.split(' ');
  return { method, path, domain, kind: kind as 'read' | 'write' };
}

function pathOf(declarations: string[], method: string, path: string): string | undefined {
  return compileRoutes(declarations.map(route)).match(method, path)?.path;
}

describe('compileRoutes', () => {
  const table = ['GET /', 'GET /orders', 'GET /orders/:id', 'GET /orders/new', 'GET /orders/:id/items', 'GET /shops/'];

  it.each([
    ['/', '/'],
    ['/orders', '/orders'],
    ['/orders/17', '/orders/:id'],
    ['/orders/new', '/orders/new'],
    ['/orders/newer', '/orders/:id'],
    ['/orders/new/items', '/orders/:id/items'],
    ['/orders/caf%C3%A9', '/orders/:id'],
    ['/shops/', '/shops/'],
    ['/Orders', undefined],
    ['/ordersX', undefined],
    ['/orders/', undefined],
    ['/orders/17/', undefined],
    ['/orders//items', undefined],
    ['/orders/17/items/3', undefined],
    ['/shops', undefined],
    ['/constructor', undefined],
  ])('leads %s to %s', (path, found) => {
    expect(pathOf(table, 'GET', path)).toBe(found);
  });

  it('lets HEAD take the way of the GET unless it is declared itself', () => {
    expect(pathOf(['GET /a', 'HEAD /b'], 'HEAD', '/a')).toBe('/a');
    expect(pathOf(['GET /a', 'HEAD /b'], 'GET', '/b')).toBeUndefined();
    expect(pathOf(['GET /:x', 'HEAD /a'], 'HEAD', '/a')).toBe('/a');
  });

  it('keeps methods apart', () => {
    expect(pathOf(['POST /a orders write'], 'GET', '/a')).toBeUndefined();
    expect(pathOf(['POST /a orders write'], 'constructor', '/a')).toBeUndefined();
  });

  it('names every two declarations that take the same requests', () => {
    const declarations = ['GET /a/:x orders', 'GET /a/:y shops', 'GET /b', 'GET /b'].map(route);
    expect(() => compileRoutes(declarations)).toThrow(
      /GET \/a\/:x \(read, orders\) and GET \/a\/:y \(read, shops\).*GET \/b .* and GET \/b /,
    );
  });

  it.each([
    ['get /a', 'method'],
    ['POST /search', 'a read is a GET or HEAD'],
    ['GET a', 'not canonical'],
    ['GET /a//b', 'not canonical'],
    ['GET /a?b', 'whole segments'],
    ['GET /a/*', 'whole segments'],
    ['GET /a(b)', 'whole segments'],
    ['GET /a/x:id', 'whole segments'],
    ['GET /a/:', 'whole segments'],
  ])('refuses %s', (declaration, why) => {
    expect(() => compileRoutes([route(declaration)])).toThrow(why);
  });
});
