import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind, type WharfError } from '../../base/index.ts';
import { digestOf, MediaTypes } from '../../oci/index.ts';
import { blobSource, collect } from '../suite.ts';
import type { RegistryCredentials } from '../types.ts';
import { RegistryError } from './errors.ts';
import { type HubLike, type HubOptions, openHubLike, RATE_LIMIT_TEXT } from './testing/hub-like.ts';
import { testClock, testRegistries } from './testing/registries.ts';
import type { Served } from './testing/serve.ts';
import type { RetryNotice } from './types.ts';

const MANIFEST = Buffer.from(JSON.stringify({ schemaVersion: 2, config: {}, layers: [] }));
const DOCUMENT = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MediaTypes.ociManifest,
    config: { mediaType: MediaTypes.ociConfig, digest: digestOf(MANIFEST), size: MANIFEST.length },
    layers: [],
  }),
);
const LAYER = blobSource(Buffer.alloc(300_000, 'layer'));
const JOE = { username: 'joe', password: 'joes-password' };

/** A hub with `library/box` and joe's private `joe/own`, and a client of it. */
async function withHub(
  options: HubOptions,
  check: (hub: HubLike, client: ReturnType<typeof clientOf>) => Promise<void>,
): Promise<void> {
  const users = { joe: { password: JOE.password } };
  await using hub = await openHubLike({ users, private: ['joe/own'], ...options });
  for (const path of ['library/box', 'joe/own']) {
    hub.memory.put(path, 'latest', DOCUMENT, MediaTypes.ociManifest);
    for await (const bytes of LAYER.open(0)) void bytes;
    hub.memory.addBlob(path, Buffer.alloc(300_000, 'layer'));
  }
  const client = clientOf(hub);
  try {
    await check(hub, client);
  } finally {
    client.registries[Symbol.dispose]();
  }
}

function clientOf(hub: HubLike) {
  const clock = testClock();
  const registries = testRegistries({}, { clock });
  const notices: RetryNotice[] = [];
  return {
    clock,
    registries,
    notices,
    repository(path: string, credentials?: RegistryCredentials, actions: ('pull' | 'push')[] = ['pull']) {
      const onRetry = (notice: RetryNotice) => notices.push(notice);
      const options = { actions, onRetry, ...(credentials && { credentials }) };
      return registries.repository({ domain: hub.registry.host, path }, options);
    },
  };
}

const authorizations = (served: Served) => served.seen.map(({ headers }) => headers.authorization);
const refused = (kind: WharfError['kind'], message: RegExp) => (thrown: unknown) => {
  assert.ok(isKind(thrown, kind), String(thrown));
  assert.match((thrown as Error).message, message);
  return true;
};

test('an anonymous pull: token, manifest, and the blob from the CDN without the token', () =>
  withHub({}, async (hub, client) => {
    const box = client.repository('library/box');
    assert.equal((await box.resolve('latest')).digest, digestOf(DOCUMENT));
    assert.deepEqual((await box.manifest('latest')).bytes, DOCUMENT);
    const { start, body } = await box.blob(LAYER.descriptor, 100_000);
    assert.equal(start, 100_000);
    assert.equal(
      digestOf(Buffer.concat(await collect(body))),
      digestOf(Buffer.alloc(300_000, 'layer').subarray(100_000)),
    );
    assert.equal(hub.auth.seen.length, 1);
    const asked = new URL(hub.auth.seen[0]?.url ?? '', hub.auth.origin).searchParams;
    assert.deepEqual(
      [...asked],
      [
        ['service', 'registry.docker.io'],
        ['scope', 'repository:library/box:pull'],
      ],
    );
    assert.deepEqual(authorizations(hub.auth), [undefined]);
    assert.deepEqual(authorizations(hub.cdn), [undefined]);
    assert.equal(hub.cdn.seen[0]?.headers['range'], 'bytes=100000-');
    assert.deepEqual(
      hub.registry.seen.map(({ method, url }) => `${method} ${url.replace(/sha256.*/, '…')}`),
      [
        'GET /v2/',
        'HEAD /v2/library/box/manifests/latest',
        'GET /v2/library/box/manifests/latest',
        'GET /v2/library/box/blobs/…',
      ],
    );
    assert.ok(hub.registry.seen.every(({ headers }) => headers['user-agent'] === 'wharf/test'));
  }));

test('a login: the password goes to the token service alone, and not to the registry or the CDN', () =>
  withHub({}, async (hub, client) => {
    const own = client.repository('joe/own', JOE);
    await own.manifest('latest');
    await collect((await own.blob(LAYER.descriptor, 0)).body);
    const basic = `Basic ${Buffer.from('joe:joes-password').toString('base64')}`;
    assert.deepEqual(authorizations(hub.auth), [basic]);
    assert.ok(
      authorizations(hub.registry)
        .slice(1)
        .every((header) => header?.startsWith('Bearer ')),
    );
    assert.deepEqual(authorizations(hub.cdn), [undefined]);
  }));

test('who may not see a repository is told so without words about others', () =>
  withHub({}, async (_, client) => {
    const anonymous = client.repository('joe/own');
    const denied = /^denied: requested access to the resource is denied$/;
    await assert.rejects(anonymous.manifest('latest'), refused('forbidden', denied));
    await assert.rejects(anonymous.resolve('latest'), refused('forbidden', denied));
    await assert.rejects(
      client.repository('library/box', JOE, ['pull', 'push']).uploadBlob(LAYER),
      refused('forbidden', denied),
    );
    const wrong = client.repository('joe/own', { username: 'joe', password: 'not-the-password' });
    await assert.rejects(
      wrong.manifest('latest'),
      refused(
        'unauthorized',
        /^Head "http:\/\/127.0.0.1:\d+\/v2\/joe\/own\/manifests\/latest": unauthorized: incorrect username or password$/,
      ),
    );
  }));

test('a token serves until shortly before its end, and its revocation costs one refusal', () =>
  withHub({ tokenLife: 300 }, async (hub, client) => {
    const box = client.repository('library/box');
    await box.manifest('latest');
    await box.manifest('latest');
    assert.equal(hub.auth.seen.length, 1);
    client.clock.turn(299_000);
    await box.manifest('latest');
    assert.equal(hub.auth.seen.length, 2);
    hub.revokeTokens();
    const before = hub.registry.seen.length;
    await box.manifest('latest');
    assert.equal(hub.auth.seen.length, 3);
    assert.equal(hub.registry.seen.length - before, 2);
  }));

test('a hundred requests at once ask for one token', () =>
  withHub({ pulls: 1000 }, async (hub, client) => {
    const box = client.repository('library/box');
    await Promise.all(Array.from({ length: 100 }, () => box.manifest('latest')));
    assert.equal(hub.auth.seen.length, 1);
    assert.equal(hub.registry.seen.filter(({ url }) => url === '/v2/').length, 1);
  }));

test('users do not share tokens', () =>
  withHub({}, async (_, client) => {
    await client.repository('joe/own', JOE).manifest('latest');
    await assert.rejects(client.repository('joe/own').manifest('latest'), refused('forbidden', /^denied/));
  }));

test('a push with a mount asks for both repositories', () =>
  withHub({}, async (hub, client) => {
    const app = client.repository('joe/app', JOE, ['pull', 'push']);
    assert.equal(await app.mountBlob(LAYER.descriptor.digest, 'joe/own'), true);
    const scopes = new URL(hub.auth.seen.at(-1)?.url ?? '', hub.auth.origin).searchParams.getAll('scope');
    assert.deepEqual(scopes, ['repository:joe/app:pull,push', 'repository:joe/own:pull']);
    await app.uploadBlob(blobSource(Buffer.alloc(2_000_000, 'new')));
    await app.putManifest(DOCUMENT, MediaTypes.ociManifest, 'v1');
    assert.equal(hub.memory.repository('joe/app').tags.get('v1'), digestOf(DOCUMENT));
  }));

test('the pull limit: Retry-After is waited for, told, and the registry has the last word', () =>
  withHub({ pulls: 0, retryAfter: '7' }, async (hub, client) => {
    const box = client.repository('library/box');
    const failure = await box.manifest('latest').then(
      () => assert.fail(),
      (thrown: unknown) => thrown,
    );
    assert.ok(failure instanceof RegistryError);
    assert.deepEqual(
      [failure.kind, failure.code, failure.message],
      ['rate-limited', 'TOOMANYREQUESTS', `toomanyrequests: ${RATE_LIMIT_TEXT}`],
    );
    assert.deepEqual(client.clock.slept, [7000, 7000]);
    assert.deepEqual(client.notices, [
      { what: 'manifest latest', waitMs: 7000 },
      { what: 'manifest latest', waitMs: 7000 },
    ]);
    hub.pullsLeft = 1;
    await box.manifest('latest');
  }));

test('a limit of hours is not waited for', () =>
  withHub({ pulls: 0, retryAfter: '21600' }, async (_, client) => {
    await assert.rejects(
      client.repository('library/box').manifest('latest'),
      refused('rate-limited', /^toomanyrequests/),
    );
    assert.deepEqual(client.clock.slept, []);
  }));

test('looking at a manifest by HEAD costs no pull', () =>
  withHub({ pulls: 5 }, async (hub, client) => {
    for (let round = 0; round < 10; round++) await client.repository('library/box').resolve('latest');
    assert.equal(hub.pullsLeft, 5);
  }));

test('login gives an identity token, which then serves in place of the password', () =>
  withHub({}, async (hub, client) => {
    const { status, identityToken } = await client.registries.login(hub.registry.host, JOE);
    assert.equal(status, 'Login Succeeded');
    assert.equal(hub.refreshTokens.get(identityToken), 'joe');
    await client.repository('joe/own', { identityToken }).manifest('latest');
    const last = hub.auth.seen.at(-1);
    assert.deepEqual([last?.method, last?.url, last?.headers.authorization], ['POST', '/token', undefined]);
    assert.ok(!JSON.stringify(hub.registry.seen).includes(identityToken));
    const again = await client.registries.login(`http://${hub.registry.host}/v2/`, { identityToken });
    assert.equal(again.identityToken, '');
  }));

test('login with a wrong password repeats the words of the service, and never the password', () =>
  withHub({}, async (hub, client) => {
    const wrong = { username: 'joe', password: 'not-the-password' };
    const text = /^Get "http:\/\/127.0.0.1:\d+\/v2\/": unauthorized: incorrect username or password$/;
    await assert.rejects(client.registries.login(hub.registry.host, wrong), refused('unauthorized', text));
  }));

test('a bearer token given by the user is sent as it is, to the registry alone', () =>
  withHub({}, async (hub, client) => {
    const box = client.repository('library/box', { registryToken: 'given-token' });
    await assert.rejects(
      box.manifest('latest'),
      refused('unauthorized', /^unauthorized: authentication required/),
    );
    assert.deepEqual(authorizations(hub.registry).slice(1), ['Bearer given-token']);
    assert.equal(hub.auth.seen.length, 0);
  }));

test('catalogue and tags', () =>
  withHub({ page: 1 }, async (hub, client) => {
    hub.memory.put('library/box', 'v2', DOCUMENT, MediaTypes.ociManifest);
    assert.deepEqual(await collect(client.repository('library/box').tags()), ['latest', 'v2']);
    const all = await collect(client.registries.repositories(hub.registry.host, JOE));
    assert.deepEqual(all, ['joe/own', 'library/box']);
    await assert.rejects(
      collect(client.registries.repositories(hub.registry.host)),
      refused('forbidden', /^denied/),
    );
  }));
