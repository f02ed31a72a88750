import assert from 'node:assert/strict';
import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isKind } from '../../base/index.ts';
import { bootstrapImage } from './bootstrap.ts';
import { readConfig } from './inspect.ts';
import { collect, EMPTY, inventory, openFixture } from './test-fixture.ts';

for (const name of [
  '',
  'alpine',
  'busybox:1.36',
  'busybox:latest:x',
  'debian:',
  'debian:trixie:x',
  'debian:-o',
  'debian:../x',
  'debian:http://host/',
  'debian:Trixie',
  'debian:trixie --hook',
  'debian:trixie\n',
  'team/debian',
]) {
  test(`${JSON.stringify(name)} can't be bootstrapped`, async () => {
    await using fixture = openFixture();
    await assert.rejects(
      collect(bootstrapImage(fixture, name, new AbortController().signal)),
      (thrown: Error) =>
        isKind(thrown, 'invalid') && /choose busybox, debian, or debian:SUITE/.test(thrown.message),
    );
    assert.deepEqual(await inventory(fixture), EMPTY);
  });
}

const skip = existsSync('/bin/busybox') ? false : 'there is no /bin/busybox';

test('busybox is made of the host’s static binary, the same each time', { skip }, async () => {
  await using fixture = openFixture();
  const bootstrap = () => collect(bootstrapImage(fixture, 'busybox', new AbortController().signal));
  const lines = await bootstrap();
  const image = fixture.images.resolve('busybox:latest');
  assert.deepEqual(lines, [
    { status: 'Collecting busybox from the package busybox-static' },
    { status: image.id, id: 'busybox:latest' },
  ]);
  const layer = image.layers[0];
  const root = fixture.snapshots.directory(layer?.chainId ?? '');
  assert.equal(readlinkSync(join(root, 'bin/sh')), 'busybox');
  assert.equal(statSync(join(root, 'tmp')).mode & 0o7777, 0o1777);
  assert.equal(statSync(join(root, 'bin/busybox')).uid, 0);
  assert.deepEqual((await readConfig(fixture.content, image)).config?.Cmd, ['sh']);
  fixture.time.nanos += 1_000_000_000n;
  await bootstrap();
  assert.equal(fixture.images.resolve('busybox').layers[0]?.chainId, layer?.chainId);
  assert.deepEqual(readdirSync(fixture.temporary), []);
});

test('a bootstrap that is cancelled leaves nothing', { skip }, async () => {
  await using fixture = openFixture();
  const abort = new AbortController();
  const lines = bootstrapImage(fixture, 'busybox', abort.signal)[Symbol.asyncIterator]();
  await lines.next();
  abort.abort();
  await assert.rejects(lines.next());
  await fixture.snapshots.settled();
  assert.deepEqual(await inventory(fixture), EMPTY);
});
