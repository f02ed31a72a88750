import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Digest, digestOf } from '../../oci/index.ts';
import { removeImage } from './remove.ts';
import { sweepAmong, sweepContent } from './sweep.ts';
import { takeIn } from './take-in.ts';
import { collect, EMPTY, inventory, openFixture, someImage } from './test-fixture.ts';

test('a sweep takes layers and blobs of no image, and nothing else', async () => {
  await using fixture = openFixture();
  const kept = await someImage(fixture, 'kept:1');
  const gone = await someImage(fixture, 'gone:1');
  const before = await inventory(fixture);
  await sweepContent(fixture);
  assert.deepEqual(await inventory(fixture), before);
  fixture.images.delete(gone.id);
  await fixture.content.put(Buffer.from('stray'), 'text/plain');
  await sweepContent(fixture);
  assert.deepEqual(
    fixture.snapshots.list().map(({ key }) => key),
    [kept.layers[0]?.chainId],
  );
  assert.equal((await inventory(fixture))['blobs']?.length, 3);
});

test('layers that a container stands on stay until it is gone', async () => {
  await using fixture = openFixture();
  const image = await someImage(fixture, 'a:1');
  const chain = image.layers[0]?.chainId ?? '';
  await fixture.snapshots.prepare('init', chain);
  await fixture.snapshots.commit(`${chain}-init`, 'init');
  await fixture.snapshots.prepare('container', `${chain}-init`);
  fixture.images.delete(image.id);
  await sweepContent(fixture);
  assert.equal(fixture.snapshots.list().length, 3);
  await fixture.snapshots.remove('container');
  await sweepContent(fixture);
  assert.deepEqual(fixture.snapshots.list(), [], 'the init layer goes before the layer it stands on');
});

test('the init layer of an image stays without a container', async () => {
  await using fixture = openFixture();
  const chain = (await someImage(fixture, 'a:1')).layers[0]?.chainId ?? '';
  await fixture.snapshots.prepare('init', chain);
  await fixture.snapshots.commit(`${chain}-init`, 'init');
  await sweepContent(fixture);
  assert.ok(fixture.snapshots.stat(`${chain}-init`));
});

test('an unpacking that a crash left is swept, a container’s snapshot never', async () => {
  await using fixture = openFixture();
  await fixture.snapshots.prepare('extract-0123456789abcdef', undefined);
  await fixture.snapshots.prepare('f'.repeat(64), undefined);
  await sweepContent(fixture);
  assert.deepEqual(
    fixture.snapshots.list().map(({ key }) => key),
    ['f'.repeat(64)],
  );
});

test('a sweep that can’t go on is logged, and fails nobody', async () => {
  await using fixture = openFixture();
  const logged: string[] = [];
  const log = { ...fixture.log, error: (message: string) => void logged.push(message) };
  const content = {
    ...fixture.content,
    list: () => {
      throw new Error('broken');
    },
  };
  await sweepContent({ ...fixture, log, content });
  assert.deepEqual(logged, ['content that nothing needs could not be swept']);
});

test('what is leased stays until it is given back, by the last holder', async () => {
  await using fixture = openFixture();
  const { digest } = await fixture.content.put(Buffer.from('on its way'), 'text/plain');
  await fixture.snapshots.prepare('extract-1', undefined);
  const leases = [fixture.leases.open(), fixture.leases.open()];
  for (const lease of leases) lease.add(digest, 'extract-1', digest);
  const before = await inventory(fixture);
  for (const lease of leases) {
    await sweepContent(fixture);
    await sweepAmong(fixture, [digest]);
    assert.deepEqual(await inventory(fixture), before);
    lease[Symbol.dispose]();
  }
  await sweepAmong(fixture, [digest]);
  assert.deepEqual(await inventory(fixture), EMPTY);
});

test('what is leased while a sweep runs is passed over, too', async () => {
  await using fixture = openFixture();
  const all = await Promise.all(
    ['a', 'b', 'c', 'd'].map((text) => fixture.content.put(Buffer.from(text), 'text/plain')),
  );
  const lease = fixture.leases.open();
  const seen: string[] = [];
  const content = Object.create(fixture.content, {
    remove: {
      value: (digest: Digest) => {
        if (seen.length === 0) lease.add(...all.map((blob) => blob.digest).filter((one) => one !== digest));
        seen.push(digest);
        return fixture.content.remove(digest);
      },
    },
  });
  await sweepContent({ ...fixture, content });
  assert.equal(seen.length, 1);
  assert.equal((await inventory(fixture))['blobs']?.length, 3);
});

test('a blob that another holder needs stays', async () => {
  await using fixture = openFixture();
  const kept = await fixture.content.put(Buffer.from('theirs'), 'text/plain');
  await fixture.content.put(Buffer.from('nobody’s'), 'text/plain');
  fixture.others.push((digest) => digest === kept.digest);
  await sweepContent(fixture);
  assert.deepEqual((await inventory(fixture))['blobs'], [kept.digest]);
});

test('an image removed while another comes in frees the disk at once', async () => {
  await using fixture = openFixture();
  const image = await someImage(fixture, 'gone:1');
  const step = Promise.withResolvers<void>();
  const slow = takeIn(fixture, () => step.promise);
  await removeImage({ ...fixture, containersOf: () => [] }, image.id, { force: true, noPrune: false });
  await fixture.snapshots.settled();
  assert.deepEqual(await inventory(fixture), EMPTY);
  step.resolve();
  await slow;
});

test('a download cut a week ago is dropped, unless somebody goes on with it', async () => {
  await using fixture = openFixture();
  const keys = ['a', 'b', 'c'].map((letter) => `sha256-${letter.repeat(64)}`);
  for (const key of [...keys, 'upload-1']) {
    const ingest = await fixture.content.ingest(key);
    await ingest.write(Buffer.from('half'));
    await ingest.close();
  }
  const lease = fixture.leases.open();
  lease.add(`sha256:${'a'.repeat(64)}`);
  const cut = async () => (await collect(fixture.content.ingests())).map(({ key }) => key).sort();
  fixture.time.nanos = BigInt(Date.now()) * 1_000_000n;
  await sweepContent(fixture);
  assert.equal((await cut()).length, 4);
  fixture.time.nanos += 8n * 24n * 3600n * 1_000_000_000n;
  await sweepContent(fixture);
  assert.deepEqual(await cut(), [keys[0], 'upload-1']);
});

test('what failing work brought in is swept', async () => {
  await using fixture = openFixture();
  const failing = takeIn(fixture, async (lease) => {
    lease.add(digestOf('x'), 'extract-1', 'sha256:abc');
    await fixture.content.put(Buffer.from('x'), 'text/plain');
    await fixture.snapshots.prepare('extract-1', undefined);
    await fixture.snapshots.commit('sha256:abc', 'extract-1');
    throw new Error('half way');
  });
  await assert.rejects(failing, /half way/);
  await fixture.snapshots.settled();
  assert.deepEqual(await inventory(fixture), EMPTY);
});

test('a sweep in the middle of others’ work does not take what that work made', async () => {
  await using fixture = openFixture();
  const step = Promise.withResolvers<void>();
  const slow = takeIn(fixture, async (lease) => {
    lease.add(digestOf('mine'));
    const { digest } = await fixture.content.put(Buffer.from('mine'), 'text/plain');
    await step.promise;
    return fixture.content.stat(digest);
  });
  await assert.rejects(takeIn(fixture, () => Promise.reject(new Error('other'))));
  await sweepContent(fixture);
  step.resolve();
  assert.deepEqual(await slow, { size: 4 });
});
