import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Call } from './call.ts';
import type { Route } from './route.ts';
import type { AuditEntry, User } from './types.ts';

/** The longest agent that is noted: clients write here what they like. */
const MAX_AGENT = 200;

/** What became known of a request while it was answered. */
export interface Served {
  /** Address of the client as the socket has it. */
  from: string;
  route: Route | undefined;
  user: User;
  call: Call | undefined;
  query: URLSearchParams;
}

/** The line of the audit log for a request whose answer was sent or cut. */
export function auditOf(request: IncomingMessage, response: ServerResponse, served: Served): AuditEntry {
  const { from, route, user, call, query } = served;
  return {
    time: new Date().toISOString(),
    user: user ?? null,
    from: from.startsWith('::ffff:') ? from.slice('::ffff:'.length) : from,
    method: request.method ?? '',
    action: actionName(request.method, route, query),
    repository: route && 'repository' in route ? route.repository : null,
    reference: referenceOf(route, query),
    // An answer that was never begun: the client went away first.
    status: response.headersSent ? response.statusCode : 499,
    bytes: call?.bytes ?? 0,
    agent: (request.headers['user-agent'] ?? '').slice(0, MAX_AGENT),
  };
}

function actionName(method: string | undefined, route: Route | undefined, query: URLSearchParams): string {
  if (route === undefined || route.kind === 'base') return 'login';
  if (route.kind === 'catalog') return 'catalog';
  if (route.kind === 'uploads' && query.has('mount')) return 'mount';
  if (route.kind === 'uploads' || route.kind === 'upload') return 'push';
  if (method === 'PUT') return 'push';
  return method === 'DELETE' ? 'delete' : 'pull';
}

function referenceOf(route: Route | undefined, query: URLSearchParams): string | null {
  switch (route?.kind) {
    case 'manifest':
      return route.reference;
    case 'blob':
    case 'referrers':
      return route.digest;
    case 'uploads':
    case 'upload':
      return (query.get('digest') ?? query.get('mount'))?.slice(0, 200) ?? null;
    default:
      return null;
  }
}
