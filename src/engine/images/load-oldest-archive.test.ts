import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { EMPTY, inventory, layerOf, load, openFixture, packed } from './test-fixture.ts';

const LOW = '1'.repeat(64);
const TOP = '2'.repeat(64);
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const lowTar = layerOf({ low: 'one' });
const topTar = layerOf({ top: 'two' });

/** Two layers, the upper one tagged twice, the lower one once. */
function members(): Map<string, Buffer> {
  const created = '2015-01-01T00:00:00Z';
  const platform = { os: 'linux', architecture: 'amd64' };
  return new Map([
    [`${LOW}/VERSION`, Buffer.from('1.0')],
    [
      `${LOW}/json`,
      json({ id: LOW, created, ...platform, container_config: { Cmd: ['sh', '-c', 'a && b'] } }),
    ],
    [`${LOW}/layer.tar`, lowTar],
    [
      `${TOP}/json`,
      json({ id: TOP, parent: LOW, created, ...platform, author: 'me', config: { Cmd: ['x'] } }),
    ],
    [`${TOP}/layer.tar`, topTar],
    ['repositories', json({ app: { one: TOP, two: TOP }, base: { one: LOW } })],
  ]);
}

test('images of the oldest archives are put together from their layers', async () => {
  await using fixture = openFixture();
  assert.deepEqual(await load(fixture, packed(members())), []);
  assert.deepEqual(fixture.published, []);
  const app = fixture.images.resolve('app:one');
  assert.equal(fixture.images.resolve('app:two').id, app.id);
  assert.equal(app.layers[0]?.chainId, fixture.images.resolve('base:one').layers[0]?.chainId);
  const config = (await fixture.content.read(app.config.digest)).toString();
  // Fields sorted and &, < and > escaped, as the reference writes it: the id is the digest of these bytes.
  assert.equal(
    config,
    `{"architecture":"amd64","author":"me","config":{"Cmd":["x"]},"created":"2015-01-01T00:00:00Z","history":[{"created":"2015-01-01T00:00:00Z","created_by":"sh -c a \\u0026\\u0026 b"},{"created":"2015-01-01T00:00:00Z","author":"me"}],"os":"linux","rootfs":{"type":"layers","diff_ids":["${app.layers[0]?.diffId}","${app.layers[1]?.diffId}"]}}`,
  );
});

test('layers of the oldest archives may be packed', async () => {
  await using fixture = openFixture();
  await load(fixture, packed(members()));
  const plain = fixture.images.resolve('app:one').id;
  await load(fixture, packed(members().set(`${TOP}/layer.tar`, gzipSync(topTar))));
  assert.equal(fixture.images.resolve('app:one').id, plain);
});

test('images of another platform are not taken', async () => {
  await using fixture = openFixture();
  const platform = { os: 'linux', architecture: 'mips' };
  assert.deepEqual(await load(fixture, packed(members()), { platform }), [{}]);
  assert.deepEqual(await inventory(fixture), EMPTY);
});

const without = (name: string) => {
  const rest = members();
  rest.delete(name);
  return rest;
};

const HOSTILE: [title: string, archive: Map<string, Buffer>, text: RegExp][] = [
  [
    'a circle',
    members().set(`${LOW}/json`, json({ id: LOW, parent: TOP })),
    /more than 500 layers, or they go in a circle/,
  ],
  ['a layer that is its own parent', members().set(`${TOP}/json`, json({ parent: TOP })), /in a circle/],
  [
    'a parent that climbs',
    members().set(`${TOP}/json`, json({ parent: '../../etc' })),
    /image ID "..\/..\/etc" is invalid/,
  ],
  ['a parent that is no text', members().set(`${TOP}/json`, json({ parent: 7 })), /image ID 7 is invalid/],
  ['a tag of no id', members().set('repositories', json({ app: { one: 'x' } })), /image ID "x" is invalid/],
  ['a tag of a number', members().set('repositories', json({ app: { one: 1 } })), /an id is no text/],
  ['a name that can not be', members().set('repositories', json({ BAD: { one: TOP } })), /must be lowercase/],
  [
    'tags that are no map',
    members().set('repositories', json({ app: [TOP] })),
    /names with their tags are needed/,
  ],
  [
    'repositories that are no map',
    members().set('repositories', json(null)),
    /names with their tags are needed/,
  ],
  ['a document that is missing', without(`${LOW}/json`), /1{64}\/json is not in the archive/],
  ['a document that is no map', members().set(`${TOP}/json`, json('x')), /2{64}\/json is not in the archive/],
  ['a layer that is missing', without(`${LOW}/layer.tar`), /1{64}\/layer.tar is not in the archive/],
  ['a layer that is no tar', members().set(`${TOP}/layer.tar`, Buffer.alloc(1024, 'x')), /archive: /],
];

for (const [title, archive, text] of HOSTILE) {
  test(`of the oldest archives, ${title} is refused, and nothing is left`, async () => {
    await using fixture = openFixture();
    const lines = await load(fixture, packed(archive));
    assert.match(String(lines.at(-1)?.['error']), text);
    assert.deepEqual(await inventory(fixture), EMPTY);
  });
}
