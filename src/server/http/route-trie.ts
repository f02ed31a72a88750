import type { Route } from './route.ts';

interface Node {
  readonly literals: Map<string, Node>;
  parameter: { name: string; node: Node } | undefined;
  /** `{name...}` followed by that one literal, or by nothing (empty string). */
  greedy: { name: string; bySuffix: Map<string, Route> } | undefined;
  route: Route | undefined;
}

/** A route with the values of its parameters. */
export interface RouteMatch {
  readonly route: Route;
  readonly params: Record<string, string>;
}

/** Finds the route of a method and a path by walking segments: no pattern is tried in vain. Literals win over parameters. */
export class RouteTrie {
  private readonly roots = new Map<string, Node>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.add(route);
  }

  /** @param segments decoded segments, from `from` on. */
  find(method: string, segments: readonly string[], from: number): RouteMatch | undefined {
    const root = this.roots.get(method);
    if (!root) return undefined;
    const params: Record<string, string> = {};
    const route = search(root, segments, from, params);
    return route && { route, params };
  }

  private add(route: Route): void {
    let node = this.roots.get(route.method);
    if (!node) {
      node = newNode();
      this.roots.set(route.method, node);
    }
    const parts = route.path.split('/').slice(1);
    for (const [index, part] of parts.entries()) {
      if (part.endsWith('...}')) {
        node.greedy ??= { name: part.slice(1, -4), bySuffix: new Map() };
        node.greedy.bySuffix.set(parts[index + 1] ?? '', route);
        return;
      }
      node = part.startsWith('{') ? parameterNode(node, part.slice(1, -1)) : literalNode(node, part);
    }
    node.route = route;
  }
}

function newNode(): Node {
  return { literals: new Map(), parameter: undefined, greedy: undefined, route: undefined };
}

function literalNode(node: Node, part: string): Node {
  const known = node.literals.get(part);
  if (known) return known;
  const made = newNode();
  node.literals.set(part, made);
  return made;
}

function parameterNode(node: Node, name: string): Node {
  node.parameter ??= { name, node: newNode() };
  return node.parameter.node;
}

/** The depth is bounded by the longest declared path, whatever the request's. */
function search(
  node: Node,
  segments: readonly string[],
  at: number,
  params: Record<string, string>,
): Route | undefined {
  const segment = segments[at];
  if (segment === undefined) return node.route;
  const literal = node.literals.get(segment);
  const byLiteral = literal && search(literal, segments, at + 1, params);
  if (byLiteral) return byLiteral;
  if (node.parameter && segment !== '') {
    const found = search(node.parameter.node, segments, at + 1, params);
    if (found) {
      params[node.parameter.name] = segment;
      return found;
    }
  }
  return node.greedy && matchGreedy(node.greedy, segments, at, params);
}

function matchGreedy(
  greedy: NonNullable<Node['greedy']>,
  segments: readonly string[],
  at: number,
  params: Record<string, string>,
): Route | undefined {
  const last = segments.length - 1;
  const suffixed = at < last ? greedy.bySuffix.get(segments[last]!) : undefined;
  const route = suffixed ?? greedy.bySuffix.get('');
  if (!route) return undefined;
  const value = segments.slice(at, suffixed ? last : undefined).join('/');
  if (value === '' || value.endsWith('/')) return undefined;
  params[greedy.name] = value;
  return route;
}
