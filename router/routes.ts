import { parseTarget } from './canonical-path.ts';
import { routerFault } from './errors.ts';

/** A method and path that belong to a domain. What is not declared belongs to the monolith. */
export interface RouteDeclaration {
  readonly domain: string;
  /** A read may be answered by service or monolith alike, so it is a GET or HEAD without side effects. */
  readonly kind: 'read' | 'write';
  readonly method: string;
  /** Whole segments, literal or `:name`; `/orders` and `/orders/` are two paths. */
  readonly path: string;
}

export interface RouteTable {
  /** `path` is canonical. A HEAD that is not declared itself takes the way of the GET. */
  match(method: string, path: string): RouteDeclaration | undefined;
}

/** A trie by segment. A literal wins over a parameter, from left to right. */
interface Node {
  readonly literals: Map<string, Node>;
  parameter?: Node;
  route?: RouteDeclaration;
}

/** @throws BNY-ROUTER-ROUTES naming all declarations that are malformed, or that take the same requests. */
export function compileRoutes(declarations: readonly RouteDeclaration[]): RouteTable {
  const roots = new Map<string, Node>();
  const flaws: string[] = [];
  for (const route of declarations) {
    const flaw = flawOf(route) ?? insert(roots, route);
    if (flaw) flaws.push(flaw);
  }
  if (flaws.length > 0) throw routerFault('BNY-ROUTER-ROUTES', { found: flaws.join('; ') });
  return {
    match(method, path) {
      const found = find(roots.get(method), path, 1);
      return found ?? (method === 'HEAD' ? find(roots.get('GET'), path, 1) : undefined);
    },
  };
}

function insert(roots: Map<string, Node>, route: RouteDeclaration): string | undefined {
  let node = literal(roots, route.method);
  for (const segment of route.path.slice(1).split('/')) node = child(node, segment);
  if (node.route) return `${name(node.route)} and ${name(route)} take the same requests`;
  node.route = route;
  return undefined;
}

function child(node: Node, segment: string): Node {
  if (segment.startsWith(':')) {
    node.parameter ??= { literals: new Map() };
    return node.parameter;
  }
  return literal(node.literals, segment);
}

function literal(nodes: Map<string, Node>, key: string): Node {
  const node = nodes.get(key) ?? { literals: new Map() };
  nodes.set(key, node);
  return node;
}

function find(node: Node | undefined, path: string, from: number): RouteDeclaration | undefined {
  if (!node || from > path.length) return node?.route;
  const slash = path.indexOf('/', from);
  const end = slash === -1 ? path.length : slash;
  const segment = path.slice(from, end);
  const found = find(node.literals.get(segment), path, end + 1);
  return found || segment === '' ? found : find(node.parameter, path, end + 1);
}

function flawOf(route: RouteDeclaration): string | undefined {
  if (!/^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/.test(route.method)) {
    return `${name(route)}: the method must be an upper-case one of HTTP`;
  }
  if (route.kind === 'read' && route.method !== 'GET' && route.method !== 'HEAD') {
    return `${name(route)}: a read is a GET or HEAD; declare it a write, or leave it out and it stays with the monolith`;
  }
  const target = parseTarget(route.path);
  if (!target.canonical) return `${name(route)}: the path is not canonical (${target.reason})`;
  // `*`, `+` and the like are legal in paths, but who writes them here means a pattern.
  const segments = route.path.slice(1).split('/');
  if (target.query || !segments.every((segment) => /^(:\w+|[^:*+()?]*)$/.test(segment))) {
    return `${name(route)}: the path consists of whole segments, literal or :name`;
  }
  return undefined;
}

function name(route: RouteDeclaration): string {
  return `${route.method} ${route.path} (${route.kind}, ${route.domain})`;
}
