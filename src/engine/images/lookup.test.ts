import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { imageLookup } from './lookup.ts';
import { configOf, dockerMembers, load, openFixture, packed, someImage } from './test-fixture.ts';

test('an image is found with what a container needs of it', async () => {
  await using fixture = openFixture();
  const image = await someImage(fixture, 'app:1', 'app', { config: { Cmd: ['sh'] } });
  const found = imageLookup(fixture).resolve('app:1');
  assert.equal(found?.imageId, image.id);
  assert.equal(found?.chainId, image.layers.at(-1)?.chainId);
  assert.deepEqual(found?.config.config?.Cmd, ['sh']);
  assert.deepEqual(found?.platform, image.platform);
  assert.equal(imageLookup(fixture).resolve('nope'), undefined);
});

test('a config is read once, and a removed image is not found by it', async () => {
  await using fixture = openFixture();
  const image = await someImage(fixture, 'app:1');
  const lookup = imageLookup(fixture);
  const first = lookup.resolve('app:1');
  rmSync(fixture.content.pathOf(image.config.digest));
  assert.equal(lookup.resolve(image.id)?.config, first?.config);
  fixture.images.delete(image.id);
  assert.equal(lookup.resolve('app:1'), undefined);
});

test('many configs push out the oldest only', async () => {
  await using fixture = openFixture();
  const tags = Array.from({ length: 260 }, (_, at) => `app:${at}`);
  const images = tags.map((tag) => ({ config: configOf([], { author: tag }), layers: [], tags: [tag] }));
  await load(fixture, packed(dockerMembers(...images)));
  const lookup = imageLookup(fixture);
  const configs = new Map(tags.map((tag) => [tag, lookup.resolve(tag)?.config]));
  assert.equal(lookup.resolve('app:259')?.config, configs.get('app:259'));
  assert.notEqual(lookup.resolve('app:0')?.config, configs.get('app:0'));
  assert.equal(lookup.resolve('app:0')?.config.author, 'app:0');
  assert.equal(lookup.resolve('app:0')?.chainId, '', 'an image without layers');
});
