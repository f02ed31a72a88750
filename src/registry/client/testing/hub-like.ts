import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type MemoryOptions, type MemoryRegistry, memoryRegistry, sendBytes } from './memory-registry.ts';
import { bodyOf, fault, json, type Served, serve } from './serve.ts';

/** What a user of the hub may do beside pulling public repositories: everything below their own name. */
export interface HubUser {
  password: string;
}

/** How a hub is set up. */
export interface HubOptions extends MemoryOptions {
  users?: Record<string, HubUser>;
  /** Repositories which only their owner sees. */
  private?: readonly string[];
  /** Pulls (GET of a manifest) in all before 429. */
  pulls?: number;
  /** Seconds, or a date, of the Retry-After of 429. */
  retryAfter?: string;
  /** Life of a token in seconds. */
  tokenLife?: number;
  tls?: { cert: string; key: string };
  /** Origins by which the world reaches the token service and the CDN, where these are not their loopback addresses. */
  names?: { auth: string; cdn: string };
}

/**
 * Three services on origins of their own that behave as Docker Hub's: the registry answers 401 and names the token
 * service, counts pulls, and sends to the CDN for blobs. The CDN answers 400 to any Authorization, as signed storage does.
 */
export interface HubLike extends AsyncDisposable {
  registry: Served;
  auth: Served;
  cdn: Served;
  memory: MemoryRegistry;
  /** Pulls that are left. */
  pullsLeft: number;
  /** Tokens are refused from now on, as if they had expired. */
  revokeTokens(): void;
  /** Refresh tokens that were given out, by user. */
  refreshTokens: Map<string, string>;
}

interface Grant {
  user: string | undefined;
  /** `repository:library/busybox:pull` … as granted. */
  access: Set<string>;
  expires: number;
}

/** What the registry says about the limit, word for word as Docker's registry does. */
export const RATE_LIMIT_TEXT =
  'You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit';

/** Opens a hub on loopback addresses. */
export async function openHubLike(options: HubOptions = {}): Promise<HubLike> {
  const memory = memoryRegistry(options);
  const tokens = new Map<string, Grant>();
  const refreshTokens = new Map<string, string>();
  const served = options.tls ? { tls: options.tls } : {};
  const state = { pullsLeft: options.pulls ?? 100 };
  const cdn = await serve((request, response) => serveCdn(memory, request, response), served);
  const auth = await serve(
    (request, response) => serveTokens({ options, tokens, refreshTokens }, request, response),
    served,
  );
  const places = () => ({
    realm: `${options.names?.auth ?? auth.origin}/token`,
    cdn: options.names?.cdn ?? cdn.origin,
  });
  const registry = await serve((request, response) => {
    const demand = demandOf(request);
    const grant = tokens.get(/^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '');
    response.setHeader('docker-distribution-api-version', 'registry/2.0');
    const expired = grant !== undefined && grant.expires < Date.now();
    if (!grant || expired || demand.some((scope) => !grant.access.has(scope)))
      return refuse(response, places().realm, demand, grant !== undefined && !expired);
    if (isManifest(request) && !countPull(state, options, request, response)) return;
    if (request.method === 'GET' && /\/blobs\/sha256:/.test(request.url ?? ''))
      return toCdn(memory, places().cdn, request, response);
    return memory.handler(request, response);
  }, served);
  return {
    registry,
    auth,
    cdn,
    memory,
    refreshTokens,
    get pullsLeft() {
      return state.pullsLeft;
    },
    set pullsLeft(count) {
      state.pullsLeft = count;
    },
    revokeTokens: () => tokens.clear(),
    async [Symbol.asyncDispose]() {
      for (const server of [registry, auth, cdn]) await server[Symbol.asyncDispose]();
    },
  };
}

/** Single actions that a request needs. */
function demandOf(request: IncomingMessage): string[] {
  const url = new URL(request.url ?? '/', 'http://hub');
  if (url.pathname === '/v2/_catalog') return ['registry:catalog:*'];
  const path = /^\/v2\/(.+?)\/(manifests|blobs|tags|referrers)\//.exec(url.pathname)?.[1];
  if (path === undefined) return [];
  const { method } = request;
  if (method === 'GET' || method === 'HEAD') return [`repository:${path}:pull`];
  const from = url.searchParams.get('from');
  const source = from === null ? [] : [`repository:${from}:pull`];
  const action = method === 'DELETE' ? 'delete' : 'push';
  return [`repository:${path}:${action}`, ...source];
}

function refuse(response: ServerResponse, realm: string, demand: string[], granted: boolean): void {
  const scope = demand.length > 0 ? `,scope="${demand.join(' ')}"` : '';
  const error = granted ? ',error="insufficient_scope"' : '';
  fault(response, 401, 'UNAUTHORIZED', 'authentication required', {
    'www-authenticate': `Bearer realm="${realm}",service="registry.docker.io"${scope}${error}`,
  });
}

function isManifest(request: IncomingMessage): boolean {
  return /^(GET|HEAD)$/.test(request.method ?? '') && /\/manifests\//.test(request.url ?? '');
}

/** Only GET counts; both tell what is left. */
function countPull(
  state: { pullsLeft: number },
  options: HubOptions,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (request.method === 'GET' && state.pullsLeft === 0) {
    const headers: Record<string, string> = { 'docker-ratelimit-source': '192.0.2.1' };
    if (options.retryAfter !== undefined) headers['retry-after'] = options.retryAfter;
    fault(response, 429, 'TOOMANYREQUESTS', RATE_LIMIT_TEXT, headers);
    return false;
  }
  if (request.method === 'GET') state.pullsLeft -= 1;
  response.setHeader('ratelimit-limit', `${options.pulls ?? 100};w=21600`);
  response.setHeader('ratelimit-remaining', `${state.pullsLeft};w=21600`);
  return true;
}

function toCdn(
  memory: MemoryRegistry,
  cdn: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const [, path = '', digest = ''] = /^\/v2\/(.+)\/blobs\/(sha256:\w+)$/.exec(request.url ?? '') ?? [];
  if (!memory.repositories.get(path)?.blobs.has(digest)) {
    fault(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
    return;
  }
  const location = `${cdn}/blobs/${digest}/data?expires=1700000000&signature=very-secret-signature`;
  response.writeHead(307, { location, 'content-length': '0' }).end();
}

function serveCdn(memory: MemoryRegistry, request: IncomingMessage, response: ServerResponse): void {
  const digest = /^\/blobs\/(sha256:\w+)\/data\?.*signature=very-secret/.exec(request.url ?? '')?.[1] ?? '';
  if (request.headers.authorization !== undefined) {
    response.writeHead(400, { 'content-type': 'application/xml' });
    response.end(
      '<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>',
    );
    return;
  }
  const bytes = [...memory.repositories.values()].map(({ blobs }) => blobs.get(digest)).find(Boolean);
  if (bytes) sendBytes(request, response, bytes);
  else response.writeHead(404, { 'content-length': '0' }).end();
}

interface TokenService {
  options: HubOptions;
  tokens: Map<string, Grant>;
  refreshTokens: Map<string, string>;
}

async function serveTokens(
  service: TokenService,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://auth');
  if (url.pathname !== '/token') return fault(response, 404, 'UNKNOWN', 'page not found');
  const form = request.method === 'POST' ? new URLSearchParams(String(await bodyOf(request))) : undefined;
  const user = form ? refreshed(service, form) : loggedIn(service, request);
  if (user === false) return json(response, 401, { details: 'incorrect username or password' });
  const asked = form ? [form.get('scope') ?? ''] : url.searchParams.getAll('scope');
  const access = new Set(
    asked.flatMap((scope) => scope.split(' ')).flatMap((scope) => granted(service, user, scope)),
  );
  const token = randomBytes(24).toString('base64url');
  const life = service.options.tokenLife ?? 300;
  service.tokens.set(token, { user, access, expires: Date.now() + life * 1000 });
  const answer: Record<string, unknown> = { token, access_token: token, expires_in: life };
  answer['issued_at'] = new Date().toISOString();
  if (user !== undefined && url.searchParams.get('offline_token') === 'true') {
    const refresh = `refresh-${randomBytes(12).toString('hex')}`;
    service.refreshTokens.set(refresh, user);
    answer['refresh_token'] = refresh;
  }
  json(response, 200, answer);
}

/** The user, undefined for nobody, false for wrong credentials. */
function loggedIn({ options }: TokenService, request: IncomingMessage): string | undefined | false {
  const basic = /^Basic (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (basic === undefined) return undefined;
  const [, name = '', password = ''] = /^([^:]*):(.*)$/s.exec(String(Buffer.from(basic, 'base64'))) ?? [];
  return options.users?.[name]?.password === password ? name : false;
}

function refreshed({ refreshTokens }: TokenService, form: URLSearchParams): string | false {
  if (form.get('grant_type') !== 'refresh_token') return false;
  return refreshTokens.get(form.get('refresh_token') ?? '') ?? false;
}

/** The asked scope's actions that the user has, each by itself. */
function granted({ options }: TokenService, user: string | undefined, scope: string): string[] {
  const [, type = '', name = '', actions = ''] = /^(\w+):(.+):([\w,*]+)$/.exec(scope) ?? [];
  if (type === 'registry') return user === undefined ? [] : [scope];
  const own = user !== undefined && name.startsWith(`${user}/`);
  const visible = own || !options.private?.includes(name);
  return actions
    .split(',')
    .filter((action) => own || (action === 'pull' && visible))
    .map((action) => `${type}:${name}:${action}`);
}
