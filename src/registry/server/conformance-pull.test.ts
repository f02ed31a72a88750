import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf, MediaTypes } from '../../oci/index.ts';
import { codeOf, sha512Of, TestRegistry } from './testing/registry.ts';

// OCI Distribution 1.1, category "Pull". The numbers are those of the specification's table of endpoints.
const ABSENT = digestOf('nobody has this');

const on = (title: string, check: (registry: TestRegistry) => Promise<void>) =>
  it(title, async () => {
    await using registry = await TestRegistry.open({ disk: true });
    await check(registry);
  });

describe('end-1: determining support', () => {
  on('GET /v2/ is answered with 200 and the version of the API', async (registry) => {
    for (const path of ['/v2/', '/v2']) {
      const { status, headers, body } = await registry.ask('GET', path);
      assert.equal(status, 200);
      assert.equal(headers['docker-distribution-api-version'], 'registry/2.0');
      assert.equal(String(body), '{}');
    }
  });

  on('what is not /v2/ is not there, and other methods are not allowed', async (registry) => {
    for (const path of ['/', '/v1/', '/v3/', '/v2x/', '/v2/x', '/v2/_other'])
      assert.equal((await registry.ask('GET', path)).status, 404, path);
    const refused = await registry.ask('POST', '/v2/');
    assert.equal(refused.status, 405);
    assert.equal(refused.headers.allow, 'GET, HEAD');
    assert.equal(codeOf(refused), 'UNSUPPORTED');
  });
});

describe('end-2: pulling blobs', () => {
  on('HEAD of a blob: 200 with its length and digest, without a body', async (registry) => {
    const digest = await registry.blob('pull/a', 'some content');
    const { status, headers, body } = await registry.ask('HEAD', `/v2/pull/a/blobs/${digest}`);
    assert.equal(status, 200);
    assert.equal(headers['content-length'], '12');
    assert.equal(headers['docker-content-digest'], digest);
    assert.equal(body.length, 0);
  });

  on('GET of a blob: 200, byte for byte, of any size', async (registry) => {
    for (const size of [0, 1, 65_536, 1_000_003]) {
      const content = Buffer.alloc(size, 'blob ');
      const digest = await registry.blob('pull/a', content);
      const { status, headers, body } = await registry.ask('GET', `/v2/pull/a/blobs/${digest}`);
      assert.equal(status, 200);
      assert.equal(headers['content-type'], 'application/octet-stream');
      assert.equal(headers['docker-content-digest'], digest);
      assert.ok(body.equals(content), `${size} bytes`);
    }
  });

  on('a blob that is not there: 404 BLOB_UNKNOWN, also where another repository has it', async (registry) => {
    const digest = await registry.blob('pull/a', 'mine');
    for (const path of [`/v2/pull/a/blobs/${ABSENT}`, `/v2/pull/b/blobs/${digest}`]) {
      const { status, body } = await registry.ask('HEAD', path);
      assert.deepEqual([status, body.length], [404, 0]);
      const answer = await registry.ask('GET', path);
      assert.equal(answer.status, 404);
      assert.equal(codeOf(answer), 'BLOB_UNKNOWN');
    }
  });

  on('Range: a part is 206 with Content-Range', async (registry) => {
    const digest = await registry.blob('pull/a', '0123456789');
    const cases: [string, string, string][] = [
      ['bytes=0-3', '0123', 'bytes 0-3/10'],
      ['bytes=4-', '456789', 'bytes 4-9/10'],
      ['bytes=-3', '789', 'bytes 7-9/10'],
      ['bytes=8-100', '89', 'bytes 8-9/10'],
      ['bytes=-100', '0123456789', 'bytes 0-9/10'],
    ];
    for (const [range, text, contentRange] of cases) {
      const { status, headers, body } = await registry.ask('GET', `/v2/pull/a/blobs/${digest}`, {
        headers: { range },
      });
      assert.equal(status, 206, range);
      assert.equal(headers['content-range'], contentRange);
      assert.equal(headers['docker-content-digest'], digest);
      assert.equal(String(body), text);
    }
  });

  on('Range: of HEAD it means nothing', async (registry) => {
    const digest = await registry.blob('pull/a', 'hello world');
    const headers = { range: 'bytes=1-2' };
    const head = await registry.ask('HEAD', `/v2/pull/a/blobs/${digest}`, { headers });
    assert.deepEqual([head.status, head.headers['content-length']], [200, '11']);
  });

  on('Range: outside is 416, what is no single range gives the whole', async (registry) => {
    const digest = await registry.blob('pull/a', '0123456789');
    for (const range of ['bytes=10-', 'bytes=10-12', 'bytes=-0']) {
      const { status, headers } = await registry.ask('GET', `/v2/pull/a/blobs/${digest}`, {
        headers: { range },
      });
      assert.equal(status, 416, range);
      assert.equal(headers['content-range'], 'bytes */10');
    }
    for (const range of [
      'bytes=5-2',
      'bytes=-',
      'lines=1-2',
      'bytes=0-1,3-4',
      'bytes=a-b',
      'bytes=99999999999999999-',
    ]) {
      const { status, body } = await registry.ask('GET', `/v2/pull/a/blobs/${digest}`, {
        headers: { range },
      });
      assert.deepEqual([status, String(body)], [200, '0123456789'], range);
    }
  });

  on('conditions: 304 for what the client has, If-Range guards a range', async (registry) => {
    const digest = await registry.blob('pull/a', '0123456789');
    const path = `/v2/pull/a/blobs/${digest}`;
    const { headers } = await registry.ask('GET', path);
    assert.equal(headers.etag, `"${digest}"`);
    for (const tag of [`"${digest}"`, digest, `W/"${digest}"`, `"x", "${digest}"`, '*']) {
      const { status, body } = await registry.ask('GET', path, { headers: { 'if-none-match': tag } });
      assert.deepEqual([status, body.length], [304, 0], tag);
    }
    assert.equal((await registry.ask('GET', path, { headers: { 'if-none-match': '"other"' } })).status, 200);
    for (const [condition, status] of [
      [`"${digest}"`, 206],
      ['"other"', 200],
    ] as const) {
      const asked = { range: 'bytes=0-1', 'if-range': condition };
      assert.equal((await registry.ask('GET', path, { headers: asked })).status, status);
    }
  });

  on('a blob under its SHA-512 digest', async (registry) => {
    const digest = sha512Of('long');
    const sent = await registry.ask('POST', `/v2/pull/a/blobs/uploads/?digest=${digest}`, { body: 'long' });
    assert.equal(sent.status, 201);
    const { status, headers, body } = await registry.ask('GET', `/v2/pull/a/blobs/${digest}`);
    assert.deepEqual([status, String(body), headers['docker-content-digest']], [200, 'long', digest]);
  });
});

describe('end-3: pulling manifests', () => {
  on('HEAD and GET by tag and by digest: as it was pushed', async (registry) => {
    const bytes = await registry.image('pull/a', 'one', 'v1');
    const digest = digestOf(bytes);
    for (const reference of ['v1', digest]) {
      const path = `/v2/pull/a/manifests/${reference}`;
      const head = await registry.ask('HEAD', path);
      assert.equal(head.status, 200);
      assert.equal(head.headers['content-length'], String(bytes.length));
      const { status, headers, body } = await registry.ask('GET', path);
      assert.equal(status, 200);
      assert.equal(headers['content-type'], MediaTypes.ociManifest);
      assert.equal(headers['docker-content-digest'], digest);
      assert.ok(body.equals(bytes));
    }
  });

  on('after a restart, too', async (registry) => {
    const bytes = await registry.image('pull/a', 'one', 'v1');
    await registry.restart();
    const { body } = await registry.ask('GET', '/v2/pull/a/manifests/v1');
    assert.ok(body.equals(bytes));
    assert.equal((await registry.ask('HEAD', '/v2/pull/b/manifests/v1')).status, 404);
  });

  on('whatever is accepted, it comes as it was pushed', async (registry) => {
    const bytes = await registry.image('pull/a', 'one', 'v1');
    for (const accept of [MediaTypes.ociManifest, MediaTypes.dockerManifest, 'text/html', '*/*']) {
      const { status, headers, body } = await registry.ask('GET', '/v2/pull/a/manifests/v1', {
        headers: { accept },
      });
      assert.deepEqual([status, headers['content-type']], [200, MediaTypes.ociManifest]);
      assert.ok(body.equals(bytes));
    }
  });

  on('what is not there: 404 MANIFEST_UNKNOWN', async (registry) => {
    await registry.image('pull/a', 'one', 'v1');
    for (const path of [
      '/v2/pull/a/manifests/v2',
      `/v2/pull/a/manifests/${ABSENT}`,
      '/v2/pull/a/manifests/.no-tag',
      '/v2/pull/none/manifests/v1',
    ]) {
      assert.equal((await registry.ask('HEAD', path)).status, 404, path);
      const answer = await registry.ask('GET', path);
      assert.equal(answer.status, 404, path);
      assert.equal(codeOf(answer), 'MANIFEST_UNKNOWN');
    }
  });

  on('conditions: 304 for the digest that the client has', async (registry) => {
    const digest = digestOf(await registry.image('pull/a', 'one', 'v1'));
    const conditional = (tag: string) =>
      registry.ask('GET', '/v2/pull/a/manifests/v1', { headers: { 'if-none-match': tag } });
    const same = await conditional(`"${digest}"`);
    assert.deepEqual([same.status, same.headers.etag], [304, `"${digest}"`]);
    assert.equal((await conditional(`"${ABSENT}"`)).status, 200);
  });

  on('errors are the JSON of the specification', async (registry) => {
    const { headers, body } = await registry.ask('GET', '/v2/pull/a/manifests/none');
    assert.equal(headers['content-type'], 'application/json');
    assert.deepEqual(JSON.parse(String(body)), {
      errors: [
        {
          code: 'MANIFEST_UNKNOWN',
          message: 'manifest unknown to registry',
          detail: { name: 'pull/a', reference: 'none' },
        },
      ],
    });
  });
});
