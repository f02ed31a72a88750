import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { hashSync } from 'bcryptjs';
import { type Clock, isKind, nodeHttp, silentLog, systemClock } from '../../base/index.ts';
import { UserGatekeeper } from './gatekeeper.ts';
import { HtpasswdUsers } from './htpasswd.ts';
import { FilePolicy } from './policy.ts';
import type { Grant, Needs, Refusal } from './types.ts';

const USERS = { ann: 'ann-pass', bob: 'bob:pass:ö', robot: 'robot-pass' };
const RULES = {
  rules: [
    { repositories: 'public/**', public: true, push: ['ann'], delete: ['ann'] },
    { repositories: 'ci/*', create: ['robot'], push: ['ann'] },
    { repositories: 'bob/**', push: ['bob'] },
  ],
};

let dir: string;
let users: HtpasswdUsers;
let gatekeeper: UserGatekeeper;
let server: Server;
let base: string;
let passed: number;
/** What the last request was answered. */
let decision: Grant | Refusal | undefined;
let needs: Needs;

const clock: Clock = {
  ...systemClock,
  nowNanos: () => systemClock.nowNanos() + BigInt(passed) * 1_000_000n,
  monotonic: () => systemClock.monotonic() + passed,
};

function writeUsers(passwords: Record<string, string>): void {
  const lines = Object.entries(passwords).map(([name, password]) => `${name}:${hashSync(password, 4)}\n`);
  writeFileSync(join(dir, 'users'), lines.join(''));
  passed += 1_000;
}

function writeRules(rules: object): void {
  writeFileSync(join(dir, 'access.json'), JSON.stringify(rules));
  passed += 1_000;
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'wharf-gatekeeper-'));
  passed = 0;
  writeUsers(USERS);
  writeRules(RULES);
  users = new HtpasswdUsers(join(dir, 'users'), silentLog, clock);
  const policy = new FilePolicy(join(dir, 'access.json'), silentLog, clock);
  gatekeeper = new UserGatekeeper({ users, policy, key: randomBytes(32), service: 'registry', clock });
  needs = 'base';
  server = nodeHttp().createServer(async (request, response) => {
    if (gatekeeper.serves(new URL(request.url ?? '', 'http://x').pathname))
      return void (await gatekeeper.serve(request, response));
    decision = await gatekeeper.authorize(request, needs);
    if (!('status' in decision)) return void response.end();
    if (decision.challenge) response.setHeader('WWW-Authenticate', decision.challenge);
    response.writeHead(decision.status).end(JSON.stringify(decision));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  users[Symbol.dispose]();
  rmSync(dir, { recursive: true, force: true });
});

const basic = (name: string, password: string) =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
const known = (name: keyof typeof USERS) => basic(name, USERS[name]);

/** Asks with an `Authorization` header, or none. */
async function ask(what: Needs, authorization?: string): Promise<number> {
  needs = what;
  const answer = await fetch(
    `${base}/v2/`,
    authorization === undefined ? {} : { headers: { authorization } },
  );
  await answer.text();
  return answer.status;
}

const repository = (name: string, action: 'pull' | 'push' | 'delete' = 'pull'): Needs => ({
  repository: name,
  action,
});

interface TokenAnswer {
  token: string;
  access_token: string;
  refresh_token?: string;
  expires_in: number;
  issued_at: string;
  scope?: string;
}

async function getToken(query: string, authorization?: string): Promise<TokenAnswer> {
  const answer = await fetch(
    `${base}/token?${query}`,
    authorization === undefined ? {} : { headers: { authorization } },
  );
  assert.equal(answer.status, 200);
  return (await answer.json()) as TokenAnswer;
}

const postToken = (form: Record<string, string>) =>
  fetch(`${base}/token`, { method: 'POST', body: new URLSearchParams(form) });

const bearer = (token: string) => `Bearer ${token}`;

describe('HTTP Basic', () => {
  it('lets users in with their rights, on every route', async () => {
    assert.equal(await ask('base', known('ann')), 200);
    assert.equal(await ask(repository('public/x', 'push'), known('ann')), 200);
    assert.equal(await ask(repository('public/x', 'push'), known('bob')), 403);
    assert.equal(await ask(repository('bob/x', 'push'), known('bob')), 200);
    assert.equal(await ask('catalog', known('bob')), 200);
  });

  it('with a wrong password or an unknown user is refused alike', async () => {
    assert.equal(await ask('base', basic('ann', 'wrong')), 401);
    const wrong = decision;
    assert.equal(await ask('base', basic('eve', 'wrong')), 401);
    assert.deepEqual(decision, wrong);
    assert.equal(await ask(repository('public/x'), basic('ann', 'wrong')), 401);
  });

  it('that is malformed is refused', async () => {
    for (const header of [
      'Basic',
      'Basic ???',
      'Basic YW5u',
      `Basic ${Buffer.from(':x').toString('base64')}`,
      'Digest x',
      'x',
    ])
      assert.equal(await ask('base', header), 401, header);
  });

  it('answers without waiting when the password was right before', async () => {
    await ask('base', known('ann'));
    const request = { headers: { authorization: known('ann'), host: 'x' }, socket: {} };
    const again = gatekeeper.authorize(request as never, repository('public/x'));
    assert.equal(again instanceof Promise, false);
  });
});

describe('nobody', () => {
  it('pulls what is public, and is told where to log in for the rest', async () => {
    assert.equal(await ask(repository('public/x')), 200);
    assert.equal(await ask(repository('public/x', 'push')), 401);
    assert.equal(await ask(repository('bob/x')), 401);
    assert.equal(await ask(repository('no/such')), 401);
    assert.equal(await ask('catalog'), 401);
    assert.equal(await ask('base'), 401);
  });

  it('gets the challenge that clients know', async () => {
    const challenge = async (what: Needs) => {
      await ask(what);
      return (decision as Refusal).challenge;
    };
    assert.equal(await challenge('base'), `Bearer realm="${base}/token",service="registry"`);
    assert.equal(
      await challenge(repository('bob/x', 'push')),
      `Bearer realm="${base}/token",service="registry",scope="repository:bob/x:pull,push"`,
    );
    assert.match((await challenge(repository('bob/x', 'delete'))) ?? '', /scope="repository:bob\/x:delete"$/);
    assert.match((await challenge('catalog')) ?? '', /scope="registry:catalog:\*"$/);
  });

  it('gets a realm that can not be turned against the header', () => {
    for (const host of ['a"b', 'a,realm="http://evil.test', 'a b', 'a/b', 'a@b', 'x'.repeat(400)]) {
      const request = { headers: { host }, socket: { localAddress: '::1', localPort: 5000 } };
      const refusal = gatekeeper.authorize(request as never, 'base') as Refusal;
      assert.equal(refusal.challenge, 'Bearer realm="http://[::1]:5000/token",service="registry"');
    }
    const request = { headers: { host: 'registry.lab' }, socket: { encrypted: true } };
    const refusal = gatekeeper.authorize(request as never, 'base') as Refusal;
    assert.equal(refusal.challenge, 'Bearer realm="https://registry.lab/token",service="registry"');
  });
});

describe('a known user without the right', () => {
  it('is refused for good, whether the repository exists or not', async () => {
    assert.equal(await ask(repository('bob/x'), known('ann')), 403);
    const there = decision;
    assert.equal(await ask(repository('bob/none'), known('ann')), 403);
    assert.deepEqual(decision, there);
    assert.deepEqual(there, {
      user: 'ann',
      status: 403,
      code: 'DENIED',
      message: 'requested access to the resource is denied',
    });
  });

  it('does not mount from what he can not read', async () => {
    assert.equal(await ask(repository('bob/x', 'push'), known('bob')), 200);
    const grant = decision as Grant;
    assert.equal(grant.allows('pull', 'public/x'), true);
    assert.equal(grant.allows('pull', 'ci/x'), false);
  });

  it('who may only create does not move tags', async () => {
    assert.equal(await ask(repository('ci/x', 'push'), known('robot')), 200);
    assert.equal((decision as Grant).allowsOverwrite?.('ci/x'), false);
    assert.equal(await ask(repository('ci/x', 'push'), known('ann')), 200);
    assert.equal((decision as Grant).allowsOverwrite?.('ci/x'), true);
  });
});

describe('tokens by GET', () => {
  it('carry what was asked for and is allowed', async () => {
    const scope = encodeURIComponent('repository:public/x:pull,push repository:bob/x:pull');
    const answer = await getToken(`service=registry&scope=${scope}&scope=repository:ci/a:pull`, known('ann'));
    assert.equal(answer.token, answer.access_token);
    assert.equal(answer.expires_in, 300);
    assert.ok(!Number.isNaN(Date.parse(answer.issued_at)));
    assert.equal(answer.refresh_token, undefined);
    const token = bearer(answer.token);
    assert.equal(await ask('base', token), 200);
    assert.equal(await ask(repository('public/x', 'push'), token), 200);
    assert.equal(await ask(repository('ci/a'), token), 200);
    assert.equal(await ask(repository('bob/x'), token), 403);
  });

  it('do no more than they were asked for: the client is told to ask again', async () => {
    const { token } = await getToken('scope=repository:public/x:pull', known('ann'));
    assert.equal(await ask(repository('public/x'), bearer(token)), 200);
    assert.equal(await ask(repository('public/x', 'push'), bearer(token)), 401);
    assert.match(
      (decision as Refusal).challenge ?? '',
      /scope="repository:public\/x:pull,push",error="insufficient_scope"/,
    );
    assert.equal(await ask(repository('public/y'), bearer(token)), 401);
    assert.equal(await ask('catalog', bearer(token)), 401);
  });

  it('narrow mounts, too: the source must be in the token', async () => {
    const narrow = await getToken('scope=repository:ci/a:pull,push', known('ann'));
    assert.equal(await ask(repository('ci/a', 'push'), bearer(narrow.token)), 200);
    assert.equal((decision as Grant).allows('pull', 'public/x'), false);
    const wide = await getToken(
      'scope=repository:ci/a:pull,push&scope=repository:public/x:pull',
      known('ann'),
    );
    await ask(repository('ci/a', 'push'), bearer(wide.token));
    assert.equal((decision as Grant).allows('pull', 'public/x'), true);
    const foreign = await getToken(
      'scope=repository:ci/a:pull,push&scope=repository:bob/x:pull',
      known('ann'),
    );
    await ask(repository('ci/a', 'push'), bearer(foreign.token));
    assert.equal((decision as Grant).allows('pull', 'bob/x'), false);
  });

  it('for the catalogue show what the user may pull', async () => {
    const { token } = await getToken('scope=registry:catalog:*', known('bob'));
    assert.equal(await ask('catalog', bearer(token)), 200);
    const grant = decision as Grant;
    assert.deepEqual(
      ['public/x', 'bob/x', 'ci/x'].map((name) => grant.allows('pull', name)),
      [true, true, false],
    );
  });

  it('for nobody let pull what is public', async () => {
    const { token } = await getToken('scope=repository:public/x:pull,push&scope=repository:bob/x:pull');
    assert.equal(await ask('base', bearer(token)), 200);
    assert.equal(await ask(repository('public/x'), bearer(token)), 200);
    assert.equal(await ask(repository('bob/x'), bearer(token)), 401);
    assert.equal(await ask(repository('public/x', 'push'), bearer(token)), 401);
    // Clients take this for the last word ("denied: requested access to the resource is denied") and do not try again.
    assert.match((decision as Refusal).challenge ?? '', /error="insufficient_scope"$/);
  });

  it('are not given for a wrong password, another service, or scopes that are none', async () => {
    const status = async (query: string, authorization = known('ann')) =>
      (await fetch(`${base}/token?${query}`, { headers: { authorization } })).status;
    assert.equal(await status('service=registry', basic('ann', 'wrong')), 401);
    assert.equal(await status('service=registry', 'Bearer x'), 401);
    assert.equal(await status('service=other'), 400);
    assert.equal(await status('scope=nonsense'), 400);
    assert.equal(await status(''), 200);
    const answer = await fetch(`${base}/token`, { headers: { authorization: basic('ann', 'wrong') } });
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Basic /);
    assert.deepEqual(await answer.json(), {
      error: 'invalid_grant',
      errors: [{ code: 'UNAUTHORIZED', message: 'incorrect username or password', detail: null }],
    });
  });

  it('are never kept by caches', async () => {
    const answer = await fetch(`${base}/token`, { headers: { authorization: known('ann') } });
    assert.equal(answer.headers.get('cache-control'), 'no-store');
  });
});

describe('tokens by POST', () => {
  it('are given for a password, with one to come back with if asked', async () => {
    const form = { grant_type: 'password', service: 'registry', username: 'bob', password: USERS.bob };
    const plain = (await (
      await postToken({ ...form, scope: 'repository:bob/x:pull,push' })
    ).json()) as TokenAnswer;
    assert.equal(plain.scope, 'repository:bob/x:pull,push');
    assert.equal(plain.refresh_token, undefined);
    assert.equal(await ask(repository('bob/x', 'push'), bearer(plain.access_token)), 200);
    const offline = (await (await postToken({ ...form, access_type: 'offline' })).json()) as TokenAnswer;
    assert.ok(offline.refresh_token);
  });

  it('are given for a refresh token, until the password changes or the user goes', async () => {
    const login = await getToken('offline_token=true&account=bob', known('bob'));
    const form = {
      grant_type: 'refresh_token',
      refresh_token: login.refresh_token ?? '',
      scope: 'repository:bob/x:pull',
    };
    const answer = (await (await postToken(form)).json()) as TokenAnswer;
    assert.equal(answer.refresh_token, login.refresh_token);
    assert.equal(await ask(repository('bob/x'), bearer(answer.access_token)), 200);
    writeUsers({ ...USERS, bob: 'changed' });
    assert.equal((await postToken(form)).status, 401);
    writeUsers({ ann: USERS.ann });
    assert.equal((await postToken(form)).status, 401);
  });

  it('are not given for anything else', async () => {
    const access = await getToken('', known('bob'));
    const nobody = await getToken('offline_token=true');
    assert.equal(nobody.refresh_token, undefined);
    const refused: [Record<string, string>, number][] = [
      [{ grant_type: 'password', username: 'bob', password: 'wrong' }, 401],
      [{ grant_type: 'password' }, 401],
      [{ grant_type: 'refresh_token', refresh_token: access.token }, 401],
      [{ grant_type: 'refresh_token' }, 401],
      [{ grant_type: 'client_credentials' }, 400],
      [{}, 400],
      [{ grant_type: 'password', service: 'other' }, 400],
    ];
    for (const [form, status] of refused)
      assert.equal((await postToken(form)).status, status, JSON.stringify(form));
    assert.equal((await postToken({ grant_type: 'x'.repeat(100_000) })).status, 400);
    assert.equal((await fetch(`${base}/token`, { method: 'PUT' })).status, 405);
  });
});

describe('tokens', () => {
  it('end with their time, their user, their password and their rights', async () => {
    const { token } = await getToken('scope=repository:public/x:push', known('ann'));
    const push = () => ask(repository('public/x', 'push'), bearer(token));
    assert.equal(await push(), 200);
    writeRules({ rules: [{ repositories: '**', public: true }] });
    assert.equal(await push(), 403);
    writeRules(RULES);
    assert.equal(await push(), 200);
    writeUsers({ ...USERS, ann: 'changed' });
    assert.equal(await push(), 401);
    assert.match((decision as Refusal).challenge ?? '', /error="invalid_token"/);
    const later = await getToken('scope=repository:bob/x:push', known('bob'));
    assert.equal(await ask(repository('bob/x', 'push'), bearer(later.token)), 200);
    passed += 361_000;
    assert.equal(await ask(repository('bob/x', 'push'), bearer(later.token)), 401);
  });

  it('do not live on in a user of the same name', async () => {
    const { token } = await getToken('scope=repository:bob/x:push', known('bob'));
    writeUsers({ ann: USERS.ann });
    writeUsers(USERS);
    assert.equal(await ask(repository('bob/x', 'push'), bearer(token)), 401);
  });

  it('that are none are refused, not taken for nobody', async () => {
    for (const token of ['x', 'a.b.c', '..'])
      assert.equal(await ask(repository('public/x'), bearer(token)), 401, token);
  });
});

describe('guessing', () => {
  it('is slowed down, by Basic and at the token endpoint together, and says for how long', async () => {
    for (let at = 0; at < 3; at++) assert.equal(await ask('base', basic('ann', `guess ${at}`)), 401);
    for (let at = 3; at < 5; at++)
      assert.equal(
        (await postToken({ grant_type: 'password', username: 'ann', password: `guess ${at}` })).status,
        401,
      );
    assert.equal(await ask('base', known('ann')), 429);
    const refusal = decision as Refusal;
    assert.equal(refusal.code, 'TOOMANYREQUESTS');
    assert.ok((refusal.retryAfter ?? 0) >= 1);
    const answer = await postToken({ grant_type: 'password', username: 'ann', password: 'x' });
    assert.equal(answer.status, 429);
    assert.ok(Number(answer.headers.get('retry-after')) >= 1);
    assert.equal(await ask('base', known('bob')), 200);
    passed += 61_000;
    assert.equal(await ask('base', known('ann')), 200);
  });

  it('by others does not keep out who was let in before', async () => {
    assert.equal(await ask('base', known('ann')), 200);
    for (let at = 0; at < 8; at++) await ask('base', basic('ann', `guess ${at}`));
    assert.equal(await ask('base', basic('ann', 'guess')), 429);
    assert.equal(await ask('base', known('ann')), 200);
  });

  it('is not what a client does that opens many connections at once', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask('base', known('bob'))));
    assert.deepEqual(new Set(answers), new Set([200]));
  });
});

describe('credentials from within the process', () => {
  it('have the rights of their user', async () => {
    const grant = await gatekeeper.grantFor({ username: 'bob', password: USERS.bob });
    assert.equal(grant.user, 'bob');
    assert.equal(grant.allows('push', 'bob/x'), true);
    assert.equal(grant.allows('push', 'public/x'), false);
    const nobody = await gatekeeper.grantFor({});
    assert.equal(nobody.allows('pull', 'public/x'), true);
    assert.equal(nobody.allows('pull', 'bob/x'), false);
  });

  it('may be tokens', async () => {
    const login = await getToken('offline_token=true&scope=repository:bob/x:pull', known('bob'));
    const byRefresh = await gatekeeper.grantFor({ identityToken: login.refresh_token ?? '' });
    assert.equal(byRefresh.allows('push', 'bob/x'), true);
    const byAccess = await gatekeeper.grantFor({ registryToken: login.token });
    assert.equal(byAccess.allows('pull', 'bob/x'), true);
    assert.equal(byAccess.allows('push', 'bob/x'), false);
  });

  it('that are wrong are refused', async () => {
    for (const credentials of [
      { username: 'bob', password: 'wrong' },
      { username: 'eve' },
      { identityToken: 'x' },
      { registryToken: 'x' },
    ])
      await assert.rejects(gatekeeper.grantFor(credentials), (thrown) => isKind(thrown, 'unauthorized'));
    for (let at = 0; at < 4; at++)
      await gatekeeper.grantFor({ username: 'bob', password: `${at}` }).catch(() => undefined);
    await assert.rejects(gatekeeper.grantFor({ username: 'bob', password: 'x' }), (thrown) =>
      isKind(thrown, 'rate-limited'),
    );
  });
});
