import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { TarPacker } from '../../archive/index.ts';
import { digestOf } from '../../oci/index.ts';
import { importImage } from './import.ts';
import { readConfig } from './inspect.ts';
import { collect, EMPTY, imported, inventory, layerOf, openFixture } from './test-fixture.ts';

const tar = new TarPacker()
  .add({ name: 'a', body: Buffer.from('hello\n') })
  .add({ name: 'hard', type: 'link', linkName: 'a' })
  .add({ name: 'sym', type: 'symlink', linkName: 'a' })
  .add({ name: 'zeros', body: Buffer.alloc(100_000) })
  .add({ name: 'dir/', type: 'directory' })
  .finish();

test('a root filesystem becomes an image of one layer', async () => {
  await using fixture = openFixture();
  const image = await imported(fixture, tar, {
    repo: 'team/app',
    tag: '1',
    changes: ['LABEL k=v', 'CMD ["sh"]'],
  });
  assert.equal(fixture.images.resolve('team/app:1').id, image.id);
  const [layer] = image.layers;
  assert.equal(layer?.diffId, digestOf(tar));
  assert.equal(layer?.bytes, 100_007, 'a hard link counts once, a link by its length, holes as they look');
  assert.equal(layer?.blob.mediaType, 'application/vnd.oci.image.layer.v1.tar+zstd');
  assert.equal(readFileSync(join(fixture.snapshots.directory(layer.chainId), 'hard'), 'utf8'), 'hello\n');
  const config = await readConfig(fixture.content, image);
  assert.deepEqual(config.config?.Cmd, ['sh']);
  assert.deepEqual(config.history, [{ created: '2023-11-14T22:13:20Z', comment: 'Imported from -' }]);
  assert.deepEqual(fixture.published, [
    { type: 'image', action: 'tag', id: image.id, attributes: { k: 'v', name: 'team/app:1' } },
    { type: 'image', action: 'import', id: image.id, attributes: { k: 'v', name: image.id } },
  ]);
});

test('packed, empty and nameless archives are taken', async () => {
  await using fixture = openFixture();
  const one = await imported(fixture, tar);
  const same = await imported(fixture, gzipSync(tar), { message: 'other' });
  assert.equal(one.layers[0]?.chainId, same.layers[0]?.chainId);
  assert.notEqual(one.id, same.id);
  assert.deepEqual((await readConfig(fixture.content, same)).history?.[0]?.comment, 'other');
  assert.deepEqual(fixture.images.names(), []);
  const empty = await imported(fixture, Buffer.alloc(0));
  assert.equal(empty.layers[0]?.bytes, 0);
});

test('a platform may be given, but only of linux', async () => {
  await using fixture = openFixture();
  const platform = { os: 'linux', architecture: 'arm', variant: 'v7' };
  const image = await imported(fixture, tar, { platform });
  assert.deepEqual(image.platform, platform);
  await assert.rejects(imported(fixture, tar, { platform: { os: 'windows', architecture: 'amd64' } }), {
    message: 'operating system is not supported',
  });
});

for (const [title, bytes, options, message] of [
  ['junk', Buffer.from('junk'), {}, /archive: it ends in the middle/],
  ['a cut tar', tar.subarray(0, 514), {}, /archive: it ends in the middle/],
  ['a bad change', tar, { changes: ['RUN x'] }, /RUN is not a valid change command/],
  ['a bad name', tar, { repo: 'App' }, /must be lowercase/],
] as const) {
  test(`${title} is refused, and nothing is left`, async () => {
    await using fixture = openFixture();
    const importing = imported(fixture, Buffer.from(bytes), {
      ...options,
      changes: [...('changes' in options ? options.changes : [])],
    });
    await assert.rejects(importing, { message });
    await fixture.snapshots.settled();
    assert.deepEqual(await inventory(fixture), EMPTY);
    assert.deepEqual(fixture.published, []);
  });
}

test('a client that leaves in the middle leaves nothing', async () => {
  await using fixture = openFixture();
  const abort = new AbortController();
  const source = Readable.from(
    (async function* () {
      yield tar.subarray(0, 1000);
      abort.abort();
      throw new Error('aborted');
    })(),
    { objectMode: false },
  );
  const options = { repo: 'app', tag: '', changes: [], message: '' };
  await assert.rejects(collect(importImage(fixture, source, options, abort.signal)));
  assert.deepEqual(await inventory(fixture), EMPTY);
});

test('the name of another image is taken over', async () => {
  await using fixture = openFixture();
  const one = await imported(fixture, layerOf({ a: '1' }), { repo: 'app' });
  const two = await imported(fixture, layerOf({ a: '2' }), { repo: 'app' });
  assert.deepEqual(fixture.images.namesOf(one.id), []);
  assert.equal(fixture.images.resolve('app').id, two.id);
});
