import type { IncomingMessage, ServerResponse } from 'node:http';
import { isKind, WharfError } from '../../base/index.ts';
import { RequestBody } from './body.ts';
import { basicCredentials } from './gatekeeper-basic.ts';
import {
  ACCESS_SECONDS,
  type Access,
  grantScopes,
  parseScopes,
  scopeText,
  type TokenClaims,
  type TokenSigner,
} from './tokens.ts';
import type { AccessPolicy, Refusal, User } from './types.ts';

/** A form of an OAuth2 request is some hundred bytes. */
const MAX_FORM_BYTES = 64 << 10;

/** What gives out tokens. */
export interface TokenIssuer {
  readonly service: string;
  readonly policy: AccessPolicy;
  readonly tokens: TokenSigner;
  /** A client that sends none of its form for so long is cut, and one slower than 1 KiB a second; milliseconds. */
  readonly stallMs: number;
  login(address: string, username: string, password: string): User | Refusal | Promise<User | Refusal>;
  entryOf(username: string): string | undefined;
  holds(claims: TokenClaims): boolean;
}

/** A token request once it is read, by GET or POST. */
interface Asked {
  user: User;
  scopes: readonly Access[];
  /** The client wants something to come back with instead of a password. */
  offline: boolean;
  /** The refresh token that it came with. */
  refreshToken?: string;
}

/**
 * Answers the token endpoint: GET with HTTP Basic or nothing (the registry token protocol), and POST with the grants
 * `password` and `refresh_token` (its OAuth2 form). The result is who it was.
 */
export async function answerTokenRequest(
  issuer: TokenIssuer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<{ user: User }> {
  try {
    const asked = await read(issuer, request, response);
    if ('status' in asked) {
      refuse(response, asked);
      return { user: asked.user };
    }
    send(response, 200, tokenAnswer(issuer, asked, request.method === 'POST'));
    return { user: asked.user };
  } catch (thrown) {
    if (!isKind(thrown, 'invalid') && !isKind(thrown, 'not-implemented')) throw thrown;
    // What is left of a body that was refused is not read.
    response.setHeader('Connection', 'close');
    const { kind, message } = WharfError.from(thrown);
    const status = kind === 'invalid' ? 400 : 405;
    if (status === 405) response.setHeader('Allow', 'GET, POST');
    const code = status === 400 ? 'UNSUPPORTED' : 'METHOD_NOT_ALLOWED';
    send(response, status, { error: 'invalid_request', errors: [{ code, message, detail: null }] });
    return { user: undefined };
  }
}

function read(
  issuer: TokenIssuer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Asked | Refusal> {
  if (request.method === 'GET') return readQuery(issuer, request);
  if (request.method === 'POST') return readForm(issuer, request, response);
  throw new WharfError('not-implemented', 'tokens are asked for by GET or POST');
}

async function readQuery(issuer: TokenIssuer, request: IncomingMessage): Promise<Asked | Refusal> {
  const query = new URL(request.url ?? '', 'http://registry').searchParams;
  checkService(issuer, query);
  const scopes = parseScopes(query.getAll('scope'));
  const { authorization } = request.headers;
  if (authorization === undefined) return { user: undefined, scopes, offline: false };
  const basic = basicCredentials(authorization);
  const user =
    basic && (await issuer.login(request.socket.remoteAddress ?? '', basic.username, basic.password));
  if (typeof user === 'object') return user;
  if (user === undefined) return wrongPassword();
  return { user, scopes, offline: query.get('offline_token') === 'true' };
}

async function readForm(
  issuer: TokenIssuer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Asked | Refusal> {
  const body = await new RequestBody(request, response, issuer.stallMs, () => {}).whole(MAX_FORM_BYTES);
  if (!body) throw new WharfError('invalid', 'the form is too long');
  const form = new URLSearchParams(body.toString());
  checkService(issuer, form);
  const scopes = parseScopes(form.getAll('scope'));
  const grantType = form.get('grant_type');
  if (grantType === 'password') {
    const user = await issuer.login(
      request.socket.remoteAddress ?? '',
      form.get('username') ?? '',
      form.get('password') ?? '',
    );
    if (typeof user === 'object') return user;
    return user === undefined
      ? wrongPassword()
      : { user, scopes, offline: form.get('access_type') === 'offline' };
  }
  if (grantType === 'refresh_token') {
    const refreshToken = form.get('refresh_token') ?? '';
    const claims = issuer.tokens.verify('refresh', refreshToken);
    if (claims?.user === undefined || !issuer.holds(claims))
      return unauthorized('the login is not valid any more; log in again');
    return { user: claims.user, scopes, offline: false, refreshToken };
  }
  throw new WharfError('invalid', 'grant_type is password or refresh_token');
}

/** A token for another service is none of ours to give. */
function checkService(issuer: TokenIssuer, parameters: URLSearchParams): void {
  const service = parameters.get('service');
  if (service !== null && service !== '' && service !== issuer.service)
    throw new WharfError('invalid', `tokens are given for the service "${issuer.service}" only`);
}

function tokenAnswer(issuer: TokenIssuer, asked: Asked, oauth: boolean): Record<string, unknown> {
  const { user, scopes } = asked;
  const { policy, tokens } = issuer;
  const access = grantScopes(scopes, {
    repository: (action, name) => policy.allows(user, action, name),
    catalog: () => policy.allowsCatalog(user),
  });
  const entry = user === undefined ? undefined : issuer.entryOf(user);
  const token = tokens.sign('access', { user, entry, access });
  const refresh = asked.offline ? tokens.sign('refresh', { user, entry, access: [] }) : asked.refreshToken;
  return {
    ...(oauth ? { scope: scopeText(access) } : { token }),
    access_token: token,
    expires_in: ACCESS_SECONDS,
    issued_at: new Date(tokens.now() * 1000).toISOString(),
    ...(refresh === undefined ? {} : { refresh_token: refresh }),
  };
}

function wrongPassword(): Refusal {
  return unauthorized('incorrect username or password');
}

function unauthorized(message: string): Refusal {
  return {
    user: undefined,
    status: 401,
    code: 'UNAUTHORIZED',
    message,
    challenge: 'Basic realm="registry",charset="UTF-8"',
  };
}

function refuse(response: ServerResponse, refusal: Refusal): void {
  const { status, code, message, challenge, retryAfter } = refusal;
  if (challenge !== undefined) response.setHeader('WWW-Authenticate', challenge);
  if (retryAfter !== undefined) response.setHeader('Retry-After', String(retryAfter));
  send(response, status, { error: 'invalid_grant', errors: [{ code, message, detail: null }] });
}

function send(response: ServerResponse, status: number, document: unknown): void {
  const body = JSON.stringify(document);
  response
    .writeHead(status, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
    })
    .end(body);
}
