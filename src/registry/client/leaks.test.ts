import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Logger, WharfError } from '../../base/index.ts';
import { MediaTypes } from '../../oci/index.ts';
import { blobSource, collect } from '../suite.ts';
import type { Repository } from '../types.ts';
import { openRegistries } from './registries.ts';
import { HOSTS, testClock } from './testing/registries.ts';
import { fault, type Handler, json, type Served, serve } from './testing/serve.ts';

/** Another origin: the same machine by an address that counts as another host. */
const ELSEWHERE = '127.0.0.2';
const USER = { username: 'joe', password: 'top-secret-password' };
const BASIC = Buffer.from(`${USER.username}:${USER.password}`).toString('base64');
const LARGE = blobSource(Buffer.alloc(3_000_000, 'l'));

interface Scene {
  repository: Repository;
  registry: Served;
  other: Served;
  logged: string[];
  errors: string[];
  /** Runs a call whose failure is kept, to be searched for secrets. */
  attempt(call: () => Promise<unknown>): Promise<WharfError | undefined>;
}

/** A registry A that misbehaves towards a server B at another origin, which must never see a secret. */
async function scene(
  registryHandler: (other: Served) => Handler,
  otherHandler: Handler,
  check: (scene: Scene) => Promise<void>,
): Promise<void> {
  await using other = await serve(otherHandler, { address: ELSEWHERE });
  await using registry = await serve((request, response) => registryHandler(other)(request, response));
  const logged: string[] = [];
  const note = (message: string, fields?: unknown) => logged.push(`${message} ${JSON.stringify(fields)}`);
  const log: Logger = { debug: note, info: note, warn: note, error: note };
  using registries = openRegistries(HOSTS, log, { clock: testClock(), random: () => 0 });
  const repository = registries.repository(
    { domain: registry.host, path: 'team/app' },
    { actions: ['pull', 'push', 'delete'], credentials: USER },
  );
  const errors: string[] = [];
  const attempt = async (call: () => Promise<unknown>) => {
    try {
      await call();
      return undefined;
    } catch (thrown) {
      assert.ok(thrown instanceof WharfError, String(thrown));
      errors.push(`${thrown.message} ${thrown.stack} ${JSON.stringify(thrown)}`);
      return thrown;
    }
  };
  await check({ repository, registry, other, logged, errors, attempt });
  const told = other.seen.filter(
    ({ headers }) => headers.authorization !== undefined || headers.cookie !== undefined,
  );
  assert.deepEqual(told, []);
  for (const text of [...logged, ...errors, JSON.stringify(other.seen)])
    for (const secret of [USER.password, BASIC, 'issued-token']) assert.ok(!text.includes(secret), text);
}

/** Lets in with Basic credentials, and else asks for them. */
const basicAuth =
  (next: Handler): Handler =>
  (request, response) => {
    if (request.headers.authorization === `Basic ${BASIC}`) return next(request, response);
    return fault(response, 401, 'UNAUTHORIZED', 'authentication required', {
      'www-authenticate': 'Basic realm="lab"',
      'set-cookie': 'session=issued-token',
    });
  };

const everyCall = ({ repository, attempt }: Scene): Promise<unknown>[] => [
  attempt(() => repository.resolve('v1')),
  attempt(() => repository.manifest('v1')),
  attempt(async () => collect((await repository.blob(LARGE.descriptor, 10)).body)),
  attempt(() => repository.statBlob(LARGE.descriptor.digest)),
  attempt(() => repository.mountBlob(LARGE.descriptor.digest, 'team/other')),
  attempt(() => repository.uploadBlob(LARGE)),
  attempt(() => repository.uploadBlob(blobSource(Buffer.from('small')))),
  attempt(() => repository.putManifest(Buffer.from('{}'), MediaTypes.ociManifest, 'v1')),
  attempt(() => repository.deleteManifest('v1')),
  attempt(() => collect(repository.tags())),
  attempt(() => repository.referrers(LARGE.descriptor.digest)),
];

for (const status of [301, 302, 303, 307, 308]) {
  test(`redirects by ${status} to another origin carry no credentials`, () =>
    scene(
      (other) =>
        basicAuth((request, response) => {
          if (request.url === '/v2/') return json(response, 200, {});
          response.writeHead(status, { location: `${other.origin}${request.url}`, 'content-length': '0' });
          response.end();
        }),
      // B asks for credentials, too: a challenge of another origin is not answered.
      (request, response) => {
        request.resume();
        fault(response, 401, 'UNAUTHORIZED', `give me ${request.url}`, {
          'www-authenticate': 'Basic realm="b"',
        });
      },
      async (all) => {
        await Promise.all(everyCall(all));
        assert.ok(all.other.seen.length >= 4, `${all.other.seen.length} requests came`);
        assert.ok(all.registry.seen.some(({ headers }) => headers.authorization === `Basic ${BASIC}`));
      },
    ));
}

test('a redirect back to the registry does not bring the credentials back', () =>
  scene(
    (other) =>
      basicAuth((request, response) => {
        if (request.url === '/v2/') return json(response, 200, {});
        response.writeHead(307, { location: `${other.origin}/bounce`, 'content-length': '0' }).end();
      }),
    (request, response) => {
      const back = `http://${request.headers['referer'] ?? '127.0.0.1:9'}/v2/`;
      response.writeHead(307, { location: back, 'content-length': '0' }).end();
    },
    async ({ repository, attempt, other }) => {
      await attempt(() => repository.manifest('v1'));
      assert.ok(other.seen.length > 0);
    },
  ));

test('an upload that is sent elsewhere by its Location goes there without credentials', () =>
  scene(
    (other) =>
      basicAuth((request, response) => {
        if (request.method !== 'POST') return json(response, 200, {});
        response
          .writeHead(202, { location: `${other.origin}/upload/1?sig=issued-token`, 'content-length': '0' })
          .end();
      }),
    async (request, response) => {
      request.resume();
      const digest = new URL(request.url ?? '', 'http://b').searchParams.get('digest');
      const headers = {
        location: request.url?.replace('issued-token', 'other') ?? '',
        'content-length': '0',
      };
      response.writeHead(digest === null ? 202 : 201, headers).end();
    },
    async ({ repository, other }) => {
      await repository.uploadBlob(LARGE);
      await repository.uploadBlob(blobSource(Buffer.from('small')));
      assert.deepEqual(
        other.seen.map(({ method }) => method),
        ['PATCH', 'PUT', 'PUT'],
      );
      // The signature in the Location is B's own: it is the one secret that B sees.
      for (const request of other.seen) request.url = request.url.replace('issued-token', '');
    },
  ));

test('the next page of a listing at another host is refused', () =>
  scene(
    (other) =>
      basicAuth((_, response) =>
        json(
          response,
          200,
          { tags: ['a'] },
          { link: `<${other.origin}/v2/team/app/tags/list?last=a>; rel="next"` },
        ),
      ),
    (_, response) => json(response, 200, { tags: ['b'] }),
    async ({ repository, attempt, other }) => {
      const error = await attempt(() => collect(repository.tags()));
      assert.equal(error?.kind, 'invalid');
      assert.equal(other.seen.length, 0);
    },
  ));

test('a token service at another site is not told the password', () =>
  scene(
    (other) => (_, response) =>
      fault(response, 401, 'UNAUTHORIZED', 'authentication required', {
        'www-authenticate': `Bearer realm="${other.origin}/token",service="b"`,
      }),
    (_, response) => json(response, 200, { token: 'issued-token' }),
    async (all) => {
      await Promise.all(everyCall(all));
      assert.equal(all.other.seen.length, 0);
      assert.match(
        all.errors.join(),
        /wants its credentials sent to http:\/\/127\.0\.0\.2:\d+\/token, which is another site/,
      );
    },
  ));

test('a token service that redirects elsewhere loses the password on the way', () =>
  scene(
    (other) => (request, response) => {
      if (request.url?.startsWith('/token'))
        return response.writeHead(307, { location: `${other.origin}/token`, 'content-length': '0' }).end();
      return fault(response, 401, 'UNAUTHORIZED', 'authentication required', {
        'www-authenticate': `Bearer realm="http://${request.headers.host}/token",service="b"`,
      });
    },
    (_, response) => fault(response, 403, 'DENIED', 'no'),
    async (all) => {
      await all.attempt(() => all.repository.manifest('v1'));
      assert.equal(all.other.seen.length, 1);
      const asked = all.registry.seen.find(({ url }) => url.startsWith('/token'));
      assert.equal(asked?.headers.authorization, `Basic ${BASIC}`);
    },
  ));

test('an identity token goes to no second address', () =>
  scene(
    (other) => (request, response) => {
      request.resume();
      if (request.url === '/token')
        return response.writeHead(308, { location: `${other.origin}/token`, 'content-length': '0' }).end();
      return fault(response, 401, 'UNAUTHORIZED', 'authentication required', {
        'www-authenticate': `Bearer realm="http://${request.headers.host}/token",service="b"`,
      });
    },
    (_, response) => json(response, 200, { token: 'x' }),
    async ({ registry, other, attempt }) => {
      using registries = openRegistries(
        HOSTS,
        { debug() {}, info() {}, warn() {}, error() {} },
        { clock: testClock() },
      );
      const credentials = { identityToken: 'identity-secret' };
      const repository = registries.repository(
        { domain: registry.host, path: 'a' },
        { actions: ['pull'], credentials },
      );
      const error = await attempt(() => repository.manifest('v1'));
      assert.equal(error?.kind, 'unavailable');
      assert.ok(!error?.message.includes('identity-secret'));
      assert.equal(other.seen.length, 0);
    },
  ));

test('a registry that repeats what it was told is not quoted with it', () =>
  scene(
    () => (request, response) => {
      const { authorization } = request.headers;
      if (authorization === undefined)
        return fault(response, 401, 'UNAUTHORIZED', 'who?', { 'www-authenticate': 'Basic realm="r"' });
      const [, password] = String(Buffer.from(authorization.slice(6), 'base64')).split(':');
      request.resume();
      return fault(response, 400, 'UNKNOWN', `${authorization} means ${password}`);
    },
    (_, response) => json(response, 200, {}),
    async (all) => {
      await Promise.all(everyCall(all));
      assert.match(all.errors[0] ?? '', /^unknown: Basic \*\*\* means \*\*\*/);
    },
  ));

test('a mirror gets no credentials of the registry for which it stands', () =>
  scene(
    () => basicAuth((_, response) => fault(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown')),
    (_, response) =>
      fault(response, 401, 'UNAUTHORIZED', 'who?', { 'www-authenticate': 'Basic realm="mirror"' }),
    async ({ registry, other, attempt }) => {
      const mirrors = new Map([['*', [other.origin]]]);
      using registries = openRegistries(
        { ...HOSTS, mirrors },
        { debug() {}, info() {}, warn() {}, error() {} },
      );
      const repository = registries.repository(
        { domain: registry.host, path: 'team/app' },
        { actions: ['pull'], credentials: USER },
      );
      assert.equal((await attempt(() => repository.manifest('v1')))?.kind, 'not-found');
      assert.ok(other.seen.length > 0);
    },
  ));
