import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf, MediaTypes } from '../../oci/index.ts';
import {
  type Answer,
  codeOf,
  indexOf,
  manifestOf,
  sha512Of,
  subjectOf,
  TestRegistry,
} from './testing/registry.ts';

// OCI Distribution 1.1, category "Push". The numbers are those of the specification's table of endpoints.
const on = (title: string, check: (registry: TestRegistry) => Promise<void>) =>
  it(title, async () => {
    await using registry = await TestRegistry.open({ disk: true });
    await check(registry);
  });

const UPLOADS = '/v2/push/a/blobs/uploads/';
const OCTETS = { 'content-type': 'application/octet-stream' };

async function* pieces(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

function stored(answer: Answer, digest: string): void {
  assert.equal(answer.status, 201, String(answer.body));
  assert.equal(answer.headers.location, `/v2/push/a/blobs/${digest}`);
  assert.equal(answer.headers['docker-content-digest'], digest);
}

describe('end-4a, end-6: POST then PUT', () => {
  on('POST begins an upload: 202 with a location', async (registry) => {
    for (const path of [UPLOADS, UPLOADS.slice(0, -1)]) {
      const { status, headers } = await registry.ask('POST', path);
      assert.equal(status, 202);
      assert.match(String(headers.location), /^\/v2\/push\/a\/blobs\/uploads\/[0-9a-f-]{36}$/);
      assert.ok(String(headers.location).endsWith(String(headers['docker-upload-uuid'])));
      assert.equal(headers.range, '0-0');
    }
  });

  on('PUT of the whole ends it: 201, and the blob can be pulled', async (registry) => {
    const digest = digestOf('whole');
    const location = await registry.upload('push/a');
    stored(
      await registry.ask('PUT', `${location}?digest=${digest}`, { headers: OCTETS, body: 'whole' }),
      digest,
    );
    assert.equal(String((await registry.ask('GET', `/v2/push/a/blobs/${digest}`)).body), 'whole');
    assert.equal((await registry.ask('GET', location)).status, 404);
  });

  on('a body without a length is taken, too', async (registry) => {
    const digest = digestOf('in pieces');
    const location = await registry.upload('push/a');
    stored(
      await registry.ask('PUT', `${location}?digest=${digest}`, { body: pieces('in ', 'pieces') }),
      digest,
    );
  });

  on('a wrong digest: 400 DIGEST_INVALID, and nothing is stored', async (registry) => {
    const wrong = digestOf('other');
    const location = await registry.upload('push/a');
    const answer = await registry.ask('PUT', `${location}?digest=${wrong}`, { body: 'whole' });
    assert.deepEqual([answer.status, codeOf(answer)], [400, 'DIGEST_INVALID']);
    for (const digest of [wrong, digestOf('whole')])
      assert.equal((await registry.ask('HEAD', `/v2/push/a/blobs/${digest}`)).status, 404);
    assert.equal((await registry.ask('GET', location)).status, 404);
  });

  on('a digest that is none, or is missing: 400 DIGEST_INVALID, and the upload stays', async (registry) => {
    const location = await registry.upload('push/a');
    for (const query of [
      '',
      '?digest=',
      '?digest=md5:abc',
      '?digest=sha256:ABC',
      `?digest=${digestOf('x')}0`,
    ]) {
      const answer = await registry.ask('PUT', location + query, { body: 'x' });
      assert.deepEqual([answer.status, codeOf(answer)], [400, 'DIGEST_INVALID'], query);
    }
    assert.equal((await registry.ask('GET', location)).status, 204);
  });

  on('an unknown upload: 404 BLOB_UPLOAD_UNKNOWN, also in another repository', async (registry) => {
    const location = await registry.upload('push/a');
    const id = location.split('/').at(-1);
    const paths = [
      `${UPLOADS}00000000-0000-4000-8000-000000000000`,
      `${UPLOADS}no-uuid`,
      `/v2/push/b/blobs/uploads/${id}`,
    ];
    for (const path of paths) {
      for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
        const answer = await registry.ask(method, `${path}?digest=${digestOf('x')}`);
        assert.deepEqual([answer.status, codeOf(answer)], [404, 'BLOB_UPLOAD_UNKNOWN'], `${method} ${path}`);
      }
    }
  });

  on('SHA-512', async (registry) => {
    const digest = sha512Of('whole');
    const location = await registry.upload('push/a');
    stored(await registry.ask('PUT', `${location}?digest=${digest}`, { body: 'whole' }), digest);
  });
});

describe('end-4b: POST of the whole', () => {
  on('201, and the blob can be pulled', async (registry) => {
    const digest = digestOf('at once');
    const path = `${UPLOADS}?digest=${encodeURIComponent(digest)}`;
    stored(await registry.ask('POST', path, { headers: OCTETS, body: 'at once' }), digest);
    stored(await registry.ask('POST', path, { headers: OCTETS, body: pieces('at ', 'once') }), digest);
    assert.equal(String((await registry.ask('GET', `/v2/push/a/blobs/${digest}`)).body), 'at once');
  });

  on('a wrong digest: 400 DIGEST_INVALID, and nothing is stored', async (registry) => {
    const wrong = digestOf('other');
    const answer = await registry.ask('POST', `${UPLOADS}?digest=${wrong}`, { body: 'at once' });
    assert.deepEqual([answer.status, codeOf(answer)], [400, 'DIGEST_INVALID']);
    assert.equal((await registry.ask('HEAD', `/v2/push/a/blobs/${wrong}`)).status, 404);
    assert.equal((await registry.ask('POST', `${UPLOADS}?digest=x`)).status, 400);
  });
});

describe('end-5, end-6, end-13: pieces', () => {
  on('pieces in order, the last one by PUT', async (registry) => {
    const digest = digestOf('onetwothree');
    let location = await registry.upload('push/a');
    for (const [body, range, here] of [
      ['one', '0-2', '0-2'],
      ['two', '3-5', '0-5'],
    ] as const) {
      const { status, headers } = await registry.ask('PATCH', location, {
        headers: { ...OCTETS, 'content-range': range },
        body,
      });
      assert.deepEqual([status, headers.range], [202, here]);
      location = String(headers.location);
      const told = await registry.ask('GET', location);
      assert.deepEqual([told.status, told.headers.range, told.headers.location], [204, here, location]);
    }
    const last = { headers: { ...OCTETS, 'content-range': '6-10' }, body: 'three' };
    stored(await registry.ask('PUT', `${location}?digest=${digest}`, last), digest);
  });

  on('a stream by one PATCH without a range, closed by an empty PUT', async (registry) => {
    const digest = digestOf('onetwothree');
    const location = await registry.upload('push/a');
    const sent = await registry.ask('PATCH', location, {
      headers: OCTETS,
      body: pieces('one', 'two', 'three'),
    });
    assert.deepEqual([sent.status, sent.headers.range], [202, '0-10']);
    stored(await registry.ask('PUT', `${location}?digest=${digest}`), digest);
  });

  on('pieces out of order: 416, and the place where to go on', async (registry) => {
    const location = await registry.upload('push/a');
    const send = (range: string, body: string) =>
      registry.ask('PATCH', location, { headers: { 'content-range': range }, body });
    assert.equal((await send('3-5', 'two')).status, 416);
    assert.equal((await send('0-2', 'one')).status, 202);
    for (const range of ['0-2', '2-4', '7-9']) {
      const answer = await send(range, 'two');
      assert.deepEqual([answer.status, answer.headers.range], [416, '0-2'], range);
      assert.equal(answer.headers.location, location);
      assert.equal(codeOf(answer), 'BLOB_UPLOAD_INVALID');
    }
    const put = { headers: { 'content-range': '7-9' }, body: 'two' };
    assert.equal((await registry.ask('PUT', `${location}?digest=${digestOf('onetwo')}`, put)).status, 416);
    assert.equal((await send('3-5', 'two')).status, 202);
    stored(await registry.ask('PUT', `${location}?digest=${digestOf('onetwo')}`), digestOf('onetwo'));
  });

  on('a range that is none, or has another length than the body', async (registry) => {
    const location = await registry.upload('push/a');
    const send = (range: string, body: string | AsyncIterable<Uint8Array>) =>
      registry.ask('PATCH', location, { headers: { 'content-range': range }, body });
    for (const range of ['x', '5', '3-1', '-3', '0-', 'bytes 0-x/3']) {
      const answer = await send(range, 'one');
      assert.deepEqual([answer.status, codeOf(answer)], [416, 'RANGE_INVALID'], range);
    }
    assert.deepEqual(codeOf(await send('0-5', 'one')), 'SIZE_INVALID');
    assert.deepEqual(codeOf(await send('0-5', pieces('one'))), 'SIZE_INVALID');
    assert.equal((await send('bytes 3-5/6', 'two')).status, 202);
  });

  on('an upload goes on after a restart', async (registry) => {
    const location = await registry.upload('push/a');
    await registry.ask('PATCH', location, { body: 'before ' });
    await registry.restart();
    assert.equal((await registry.ask('GET', location)).headers.range, '0-6');
    const rest = { headers: { 'content-range': '7-11' }, body: 'after' };
    assert.equal((await registry.ask('PATCH', location, rest)).status, 202);
    const digest = digestOf('before after');
    stored(await registry.ask('PUT', `${location}?digest=${digest}`), digest);
  });
});

describe('end-14: cancelling an upload', () => {
  on('DELETE: 204, and it is gone', async (registry) => {
    const location = await registry.upload('push/a');
    await registry.ask('PATCH', location, { body: 'some' });
    assert.equal((await registry.ask('DELETE', location)).status, 204);
    for (const method of ['GET', 'DELETE']) assert.equal((await registry.ask(method, location)).status, 404);
    for await (const { key } of registry.content.ingests()) assert.fail(`${key} was left`);
  });
});

describe('end-11: mounting', () => {
  on('from a repository that has the blob: 201', async (registry) => {
    const digest = await registry.blob('push/source', 'shared');
    for (const query of [
      `?mount=${digest}&from=push/source`,
      `?mount=${digest}&from=push%2Fsource`,
      `?mount=${digest}`,
    ]) {
      await registry.ask('DELETE', `/v2/push/a/blobs/${digest}`);
      stored(await registry.ask('POST', UPLOADS + query), digest);
      assert.equal(String((await registry.ask('GET', `/v2/push/a/blobs/${digest}`)).body), 'shared');
    }
  });

  on('otherwise an upload begins: 202', async (registry) => {
    const digest = await registry.blob('push/source', 'shared');
    const absent = digestOf('absent');
    for (const query of [
      `?mount=${absent}&from=push/source`,
      `?mount=${digest}&from=push/none`,
      `?mount=${absent}`,
    ]) {
      const { status, headers } = await registry.ask('POST', UPLOADS + query);
      assert.equal(status, 202, query);
      assert.ok(headers.location);
    }
    assert.equal((await registry.ask('HEAD', `/v2/push/a/blobs/${digest}`)).status, 404);
  });

  on('of what is no digest, or from what is no name: 400', async (registry) => {
    assert.equal(codeOf(await registry.ask('POST', `${UPLOADS}?mount=x&from=push/source`)), 'DIGEST_INVALID');
    const from = await registry.ask('POST', `${UPLOADS}?mount=${digestOf('x')}&from=../x`);
    assert.deepEqual([from.status, codeOf(from)], [400, 'NAME_INVALID']);
  });
});

describe('end-7: pushing manifests', () => {
  on('by tag and by digest: 201 with location and digest', async (registry) => {
    const bytes = await registry.image('push/a', 'image');
    const digest = digestOf(bytes);
    for (const reference of ['v1', digest]) {
      const answer = await registry.ask('PUT', `/v2/push/a/manifests/${reference}`, {
        headers: { 'content-type': MediaTypes.ociManifest },
        body: bytes,
      });
      assert.equal(answer.status, 201);
      assert.equal(answer.headers.location, `/v2/push/a/manifests/${digest}`);
      assert.equal(answer.headers['docker-content-digest'], digest);
      assert.equal(answer.headers['oci-subject'], undefined);
    }
  });

  on('under its SHA-512 digest', async (registry) => {
    const bytes = await registry.image('push/a', 'image');
    const digest = sha512Of(bytes);
    const path = `/v2/push/a/manifests/${digest}`;
    const headers = { 'content-type': MediaTypes.ociManifest };
    assert.equal((await registry.ask('PUT', path, { headers, body: bytes })).status, 201);
    const { headers: got, body } = await registry.ask('GET', path);
    assert.equal(got['docker-content-digest'], digest);
    assert.ok(body.equals(bytes));
  });

  const put = (
    registry: TestRegistry,
    reference: string,
    body: Buffer | string,
    type: string = MediaTypes.ociManifest,
  ) => registry.ask('PUT', `/v2/push/a/manifests/${reference}`, { headers: { 'content-type': type }, body });

  on('under the digest of something else: 400 DIGEST_INVALID', async (registry) => {
    const bytes = await registry.image('push/a', 'image');
    const answer = await put(registry, digestOf('other'), bytes);
    assert.deepEqual([answer.status, codeOf(answer)], [400, 'DIGEST_INVALID']);
    assert.equal(codeOf(await put(registry, 'sha256:abc', bytes)), 'DIGEST_INVALID');
    assert.equal(codeOf(await put(registry, '.tag', bytes)), 'TAG_INVALID');
  });

  on('what is no manifest: 400 MANIFEST_INVALID', async (registry) => {
    for (const body of [
      '',
      'no json',
      '[]',
      '{}',
      '{"schemaVersion":2}',
      '{"schemaVersion":1,"fsLayers":[]}',
    ]) {
      const answer = await put(registry, 'v1', body);
      assert.deepEqual([answer.status, codeOf(answer)], [400, 'MANIFEST_INVALID'], body);
    }
    const plain = await put(registry, 'v1', manifestOf(Buffer.from('{}'), []), 'text/plain');
    assert.equal(codeOf(plain), 'MANIFEST_INVALID');
    assert.equal((await registry.ask('HEAD', '/v2/push/a/manifests/v1')).status, 404);
  });

  on(
    'blobs that are missing: 404 MANIFEST_BLOB_UNKNOWN, also if another repository has them',
    async (registry) => {
      await registry.image('push/other', 'image', 'v1');
      const elsewhere = (await registry.ask('GET', '/v2/push/other/manifests/v1')).body;
      for (const bytes of [manifestOf(Buffer.from('absent'), []), elsewhere]) {
        const answer = await put(registry, 'v1', bytes);
        assert.deepEqual([answer.status, codeOf(answer)], [404, 'MANIFEST_BLOB_UNKNOWN']);
      }
      const config = Buffer.from('{}');
      await registry.blob('push/a', config);
      assert.equal((await put(registry, 'v1', manifestOf(config, [Buffer.from('absent')]))).status, 404);
      assert.equal((await put(registry, 'v1', manifestOf(config, []))).status, 201);
    },
  );

  on('an index needs the manifests that it names', async (registry) => {
    const [one, two] = [await registry.image('push/a', 'one'), await registry.image('push/a', 'two')];
    const index = indexOf([one, two]);
    await put(registry, digestOf(one), one);
    assert.equal(codeOf(await put(registry, 'all', index, MediaTypes.ociIndex)), 'MANIFEST_BLOB_UNKNOWN');
    await put(registry, digestOf(two), two);
    assert.equal((await put(registry, 'all', index, MediaTypes.ociIndex)).status, 201);
    const { headers, body } = await registry.ask('GET', '/v2/push/a/manifests/all');
    assert.equal(headers['content-type'], MediaTypes.ociIndex);
    assert.ok(body.equals(index));
  });

  on('artifacts of any type are taken, and layers that lie elsewhere need not be here', async (registry) => {
    const config = Buffer.from('{}');
    await registry.blob('push/a', config);
    const artifact = manifestOf(config, [], {
      artifactType: 'application/vnd.example+thing',
      config: { mediaType: 'application/vnd.example.config', digest: digestOf(config), size: 2 },
      layers: [
        {
          mediaType: MediaTypes.dockerForeignLayer,
          digest: digestOf('foreign'),
          size: 7,
          urls: ['https://example.com/layer'],
        },
      ],
    });
    assert.equal((await put(registry, 'thing', artifact)).status, 201);
  });

  on('a subject, there or not, is confirmed by OCI-Subject', async (registry) => {
    const image = await registry.image('push/a', 'image');
    const referrer = await registry.image('push/a', 'note', undefined, { subject: subjectOf(image) });
    for (const reference of [digestOf(referrer), 'note']) {
      const answer = await put(registry, reference, referrer);
      assert.deepEqual([answer.status, answer.headers['oci-subject']], [201, digestOf(image)]);
    }
  });

  on('4 MiB are taken, and no byte more: 413', async (registry) => {
    const base = await registry.image('push/a', 'large');
    const pad = (size: number) => Buffer.concat([base, Buffer.alloc(size - base.length, ' ')]);
    assert.equal((await put(registry, 'v1', pad(4 << 20))).status, 201);
    assert.equal((await put(registry, 'v1', pad((4 << 20) + 1))).status, 413);
    const chunked = await registry.ask('PUT', '/v2/push/a/manifests/v1', {
      body: pieces(...Array.from({ length: 6 }, () => ' '.repeat(1 << 20))),
    });
    assert.equal(chunked.status, 413);
  });

  on('a tag moves; the manifest before it stays under its digest', async (registry) => {
    const first = await registry.image('push/a', 'first', 'v1');
    const second = await registry.image('push/a', 'second', 'v1');
    const tagged = await registry.ask('GET', '/v2/push/a/manifests/v1');
    assert.ok(tagged.body.equals(second));
    assert.equal((await registry.ask('HEAD', `/v2/push/a/manifests/${digestOf(first)}`)).status, 200);
  });

  on('what came under a type that contradicts it is refused', async (registry) => {
    const manifest = await registry.image('push/a', 'image');
    const index = indexOf([]);
    const both = Buffer.from(JSON.stringify({ ...JSON.parse(String(manifest)), manifests: [] }));
    for (const [bytes, type] of [
      [manifest, MediaTypes.ociIndex],
      [manifest, MediaTypes.dockerManifest],
      [index, MediaTypes.ociManifest],
      [both, MediaTypes.ociManifest],
      [both, MediaTypes.ociIndex],
    ] as const)
      assert.equal(codeOf(await put(registry, 'v1', bytes, type)), 'MANIFEST_INVALID');
    for (const type of ['application/json', `${MediaTypes.ociManifest}; charset=utf-8`])
      assert.equal((await put(registry, 'v1', manifest, type)).status, 201);
  });
});
