import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { digestOf, isDigest } from '../../oci/index.ts';
import { RegistryFailure } from './failure.ts';
import { isRepositoryName, isTag, isUploadId } from './names.ts';
import { actionOf, digest, parseRoute } from './route.ts';
import { sha512Of, TestRegistry } from './testing/registry.ts';

const DIGEST = digestOf('x');
const ID = '00000000-0000-4000-8000-000000000000';

/** Numbers that look random and are the same each time. */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const NAME_PARTS = [
  'a',
  'library',
  'a.b',
  'a__b',
  'a--b',
  'blobs',
  'manifests',
  'uploads',
  'tags',
  'list',
  'referrers',
  'v2',
  '_catalog',
  '',
  '.',
  '..',
  '...',
  '%2e%2e',
  '%2E%2E',
  '%252e%252e',
  '%2f',
  '%5c',
  '..%2f..',
  '%00',
  'a%00',
  'A',
  'ä',
  '%c3%a4',
  'a_',
  '_a',
  '-a',
  'a-',
  'a___b',
  'a._b',
  'a..b',
  '~',
  ' ',
  '%20',
  'a%0a',
  'a\\b',
  'a;b',
  'a:b',
  '%',
  '%zz',
  '%f',
  'a'.repeat(300),
];
const REFERENCES = [
  'latest',
  'v1.0',
  '_x',
  'A-b',
  DIGEST,
  sha512Of('x'),
  DIGEST.replace(':', '%3A'),
  ID,
  'list',
  'uploads',
  '',
  '.',
  '..',
  '.tag',
  '-tag',
  'a'.repeat(129),
  'sha256:',
  'sha256:abc',
  `${DIGEST}0`,
  DIGEST.toUpperCase(),
  `sha256:../${'0'.repeat(61)}`,
  `md5:${'0'.repeat(32)}`,
  `${DIGEST}/..`,
  '%2e%2e%2f%2e%2e',
  '%2e',
  'a%2fb',
  '%00',
  `${DIGEST}%00`,
  `${DIGEST}%0a`,
  'tag%0a',
  '../../x',
];
const SHAPES = [
  (name: string, reference: string) => `/v2/${name}/manifests/${reference}`,
  (name: string, reference: string) => `/v2/${name}/blobs/${reference}`,
  (name: string, reference: string) => `/v2/${name}/blobs/uploads/${reference}`,
  (name: string, reference: string) => `/v2/${name}/referrers/${reference}`,
  (name: string) => `/v2/${name}/tags/list`,
  (name: string) => `/v2/${name}/blobs/uploads/`,
  (name: string, reference: string) => `/v2/${name}/${reference}`,
  (name: string, reference: string) => `/v2//${name}//manifests/${reference}`,
];

function* urls(count: number, seed: number): Generator<string> {
  const next = sequence(seed);
  const one = <T>(from: readonly T[]) => from[next(from.length)] as T;
  for (let at = 0; at < count; at += 1) {
    const name = Array.from({ length: 1 + next(4) }, () => one(NAME_PARTS)).join('/');
    yield one(SHAPES)(name, one(REFERENCES));
  }
}

describe('paths of requests', () => {
  it('of 5,000 forms on each kind of URL, every one keeps the grammar or is refused as 400 or 404', () => {
    let parsed = 0;
    for (const path of urls(5000 * SHAPES.length, 7)) {
      try {
        const route = parseRoute(path, 'GET') as unknown as Record<string, string>;
        parsed += 1;
        if ('repository' in route) assert.ok(isRepositoryName(route['repository'] ?? ''), path);
        if ('digest' in route) assert.ok(isDigest(route['digest']), path);
        if ('id' in route) assert.ok(isUploadId(route['id'] ?? ''), path);
        const { reference = 'tag' } = route;
        assert.ok(isDigest(reference) || isTag(reference), path);
      } catch (thrown) {
        assert.ok(thrown instanceof RegistryFailure, `${path}: ${thrown}`);
        assert.ok(thrown.status === 400 || thrown.status === 404, `${path}: ${thrown.status}`);
      }
    }
    assert.ok(parsed > 500, `only ${parsed} were well-formed`);
  });

  it('names may hold every word of the paths', () => {
    assert.deepEqual(parseRoute('/v2/blobs/uploads/tags/list', 'GET'), {
      kind: 'tags',
      repository: 'blobs/uploads',
    });
    assert.deepEqual(parseRoute('/v2/manifests/manifests/manifests', 'GET'), {
      kind: 'manifest',
      repository: 'manifests',
      reference: 'manifests',
    });
    assert.deepEqual(parseRoute(`/v2/a/blobs/blobs/${DIGEST}`, 'GET'), {
      kind: 'blob',
      repository: 'a/blobs',
      digest: DIGEST,
    });
    assert.deepEqual(parseRoute('/v2/tags/tags/list', 'GET'), { kind: 'tags', repository: 'tags' });
    assert.deepEqual(parseRoute('/v2/a/manifests/blobs/uploads/', 'POST'), {
      kind: 'uploads',
      repository: 'a/manifests',
    });
  });

  it('a colon may be encoded, a slash not', () => {
    const encoded = DIGEST.replace(':', '%3A');
    assert.deepEqual(parseRoute(`/v2/a/blobs/${encoded}`, 'GET'), {
      kind: 'blob',
      repository: 'a',
      digest: DIGEST,
    });
    assert.throws(() => parseRoute('/v2/a%2Fb/tags/list', 'GET'), { code: 'NAME_INVALID' });
  });

  it('names have 255 characters at most', () => {
    const name = (length: number) => `/v2/${'a'.repeat(length)}/tags/list`;
    assert.equal(parseRoute(name(255), 'GET').kind, 'tags');
    assert.throws(() => parseRoute(name(256), 'GET'), { code: 'NAME_INVALID' });
  });

  it('500 bad digests are none', () => {
    const next = sequence(3);
    const letters = '0123456789abcdefABCDEFghxyz:/.%\0\n -';
    for (let at = 0; at < 500; at += 1) {
      const broken = [...DIGEST];
      for (let times = 0; times <= next(3); times += 1)
        broken[next(broken.length)] = letters[next(letters.length)] ?? '';
      const text = at % 3 === 0 ? broken.join('').slice(0, next(70)) : broken.join('');
      if (/^sha256:[0-9a-f]{64}$/.test(text)) continue;
      assert.throws(() => digest(text), { code: 'DIGEST_INVALID', status: 400 });
    }
  });

  it('each method needs its right, and others are not allowed', () => {
    const manifest = parseRoute('/v2/a/manifests/v1', 'GET');
    const rights = ['GET', 'HEAD', 'PUT', 'DELETE'].map((method) => actionOf(manifest, method));
    assert.deepEqual(rights, ['pull', 'pull', 'push', 'delete']);
    for (const method of ['POST', 'PATCH', 'OPTIONS', 'TRACE', 'constructor', '__proto__'])
      assert.throws(() => actionOf(manifest, method), { status: 405 });
  });

  it('over the wire, too: 400 or 404, and nothing else', async () => {
    await using registry = await TestRegistry.open();
    const paths = [...urls(400, 11)].filter((path) => !/[\s\0-\x1f\x7f-\uffff]/.test(path));
    const socket = connect(registry.port, '127.0.0.1');
    const statuses: string[] = [];
    let rest = '';
    const done = Promise.withResolvers<void>();
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      rest += text;
      for (let match = /HTTP\/1\.1 (\d{3})/.exec(rest); match; match = /HTTP\/1\.1 (\d{3})/.exec(rest)) {
        statuses.push(match[1] ?? '');
        rest = rest.slice(match.index + 12);
      }
      if (statuses.length >= paths.length) done.resolve();
    });
    socket.on('close', () => done.resolve());
    for (const path of paths) socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await done.promise;
    socket.destroy();
    assert.equal(statuses.length, paths.length);
    for (const [at, status] of statuses.entries()) {
      const path = paths[at] ?? '';
      // Where uploads begin is nothing to be seen, and of what is not there nothing refers to anything.
      const expected = /\/uploads\/?$/.test(path)
        ? /^40[045]$/
        : /\/referrers\//.test(path)
          ? /^(200|40[04])$/
          : /^40[04]$/;
      assert.match(status, expected, path);
    }
  });
});
