import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf } from '../../oci/index.ts';
import { codeOf, TestRegistry } from './testing/registry.ts';

// OCI Distribution 1.1, category "Content Management". The numbers are those of the specification's table of endpoints.
const on = (title: string, check: (registry: TestRegistry) => Promise<void>) =>
  it(title, async () => {
    await using registry = await TestRegistry.open({ disk: true });
    await check(registry);
  });

describe('end-9: deleting tags and manifests', () => {
  on('DELETE of a tag: 202; the manifest and its other tags stay', async (registry) => {
    const bytes = await registry.image('del/a', 'image', 'v1');
    await registry.put('del/a', 'v2', bytes);
    assert.equal((await registry.ask('DELETE', '/v2/del/a/manifests/v1')).status, 202);
    assert.equal((await registry.ask('GET', '/v2/del/a/manifests/v1')).status, 404);
    for (const reference of ['v2', digestOf(bytes)])
      assert.equal((await registry.ask('HEAD', `/v2/del/a/manifests/${reference}`)).status, 200);
    const tags = await registry.ask('GET', '/v2/del/a/tags/list');
    assert.deepEqual(JSON.parse(String(tags.body)).tags, ['v2']);
  });

  on('DELETE of a manifest by digest: 202; its tags go with it', async (registry) => {
    const bytes = await registry.image('del/a', 'image', 'v1');
    await registry.put('del/a', 'v2', bytes);
    await registry.image('del/a', 'other', 'other');
    const path = `/v2/del/a/manifests/${digestOf(bytes)}`;
    assert.equal((await registry.ask('DELETE', path)).status, 202);
    for (const reference of ['v1', 'v2', digestOf(bytes)])
      assert.equal((await registry.ask('GET', `/v2/del/a/manifests/${reference}`)).status, 404);
    const tags = await registry.ask('GET', '/v2/del/a/tags/list');
    assert.deepEqual(JSON.parse(String(tags.body)).tags, ['other']);
    await registry.restart();
    assert.equal((await registry.ask('GET', '/v2/del/a/manifests/v1')).status, 404);
  });

  on('what is not there: 404 MANIFEST_UNKNOWN', async (registry) => {
    const bytes = await registry.image('del/a', 'image', 'v1');
    await registry.image('del/b', 'another', 'v1');
    for (const path of [
      '/v2/del/a/manifests/none',
      `/v2/del/a/manifests/${digestOf('none')}`,
      `/v2/del/b/manifests/${digestOf(bytes)}`,
      '/v2/del/none/manifests/v1',
    ]) {
      const answer = await registry.ask('DELETE', path);
      assert.deepEqual([answer.status, codeOf(answer)], [404, 'MANIFEST_UNKNOWN'], path);
    }
  });

  on('in one repository only', async (registry) => {
    const bytes = await registry.image('del/a', 'image', 'v1');
    await registry.image('del/b', 'image', 'v1');
    await registry.ask('DELETE', `/v2/del/a/manifests/${digestOf(bytes)}`);
    assert.equal((await registry.ask('GET', '/v2/del/b/manifests/v1')).status, 200);
  });

  on('a deleted manifest can be pushed again', async (registry) => {
    const bytes = await registry.image('del/a', 'image', 'v1');
    await registry.ask('DELETE', `/v2/del/a/manifests/${digestOf(bytes)}`);
    await registry.put('del/a', 'v1', bytes);
    assert.ok((await registry.ask('GET', '/v2/del/a/manifests/v1')).body.equals(bytes));
  });
});

describe('end-10: deleting blobs', () => {
  on('DELETE: 202, then 404', async (registry) => {
    const digest = await registry.blob('del/a', 'content');
    const path = `/v2/del/a/blobs/${digest}`;
    const { status, headers } = await registry.ask('DELETE', path);
    assert.deepEqual([status, headers['docker-content-digest']], [202, digest]);
    for (const method of ['HEAD', 'GET', 'DELETE'])
      assert.equal((await registry.ask(method, path)).status, 404);
    assert.equal(codeOf(await registry.ask('DELETE', path)), 'BLOB_UNKNOWN');
  });

  on('in one repository only', async (registry) => {
    const digest = await registry.blob('del/a', 'content');
    await registry.blob('del/b', 'content');
    await registry.ask('DELETE', `/v2/del/a/blobs/${digest}`);
    assert.equal(String((await registry.ask('GET', `/v2/del/b/blobs/${digest}`)).body), 'content');
  });

  on('a reader who has begun gets it to the end', async (registry) => {
    const content = Buffer.alloc(30_000_000, 'long ');
    const digest = await registry.blob('del/a', content);
    const pull = registry.ask('GET', `/v2/del/a/blobs/${digest}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await registry.ask('DELETE', `/v2/del/a/blobs/${digest}`);
    await registry.storage.collect({ dryRun: false, untagged: true, uploadAgeMs: 0 });
    const { status, body } = await pull;
    // Which of the two was first is the network's affair; half a blob under a length of its own is not.
    if (status === 200) assert.ok(body.equals(content));
    else assert.equal(status, 404);
  });
});
