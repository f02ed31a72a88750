import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Filters } from '../../api/index.ts';
import { isKind } from '../../base/index.ts';
import { listImages } from './list.ts';
import { tagImage } from './tag.ts';
import {
  configOf,
  dockerMembers,
  type Fixture,
  layerOf,
  load,
  openFixture,
  packed,
  someImage,
} from './test-fixture.ts';

function listed(
  fixture: Fixture,
  filters: Record<string, string[]> = {},
  more: { sharedSize?: boolean } = {},
) {
  const deps = { ...fixture, containersOf: (id: string) => fixture.containersOf(id).map((user) => user.id) };
  const map: Filters = new Map(Object.entries(filters));
  return listImages(deps, {
    all: false,
    digests: false,
    sharedSize: false,
    manifests: false,
    filters: map,
    ...more,
  });
}

const tags = (list: ReturnType<typeof listed>) => list.map((image) => image.RepoTags?.[0] ?? '-');

async function filled() {
  const fixture = openFixture();
  await someImage(fixture, 'old:1', 'old', {
    created: '2020-01-01T00:00:00Z',
    config: { Labels: { k: 'v' } },
  });
  await someImage(fixture, 'team/mid:2', 'mid', {
    created: '2021-01-01T00:00:00.5Z',
    config: { Labels: { k: 'w' } },
  });
  await someImage(fixture, '', 'none', { created: '2022-01-01T00:00:00Z' });
  await someImage(fixture, 'new:latest', 'new', { created: '2023-01-01T00:00:00Z' });
  return fixture;
}

test('images are listed newest first, with every field', async () => {
  await using fixture = await filled();
  const list = listed(fixture);
  assert.deepEqual(tags(list), ['new:latest', '-', 'team/mid:2', 'old:1']);
  const old = fixture.images.resolve('old:1');
  assert.deepEqual(list.at(-1), {
    Id: old.id,
    ParentId: '',
    RepoTags: ['old:1'],
    RepoDigests: [],
    Created: 1_577_836_800,
    Size: 3,
    SharedSize: -1,
    Labels: { k: 'v' },
    Containers: 0,
  });
  assert.equal(list[0]?.Labels, null);
  assert.deepEqual(list[1]?.RepoTags, []);
});

const FILTERS: [title: string, filters: Record<string, string[]>, expected: string[]][] = [
  ['dangling', { dangling: ['true'] }, ['-']],
  ['not dangling', { dangling: ['0'] }, ['new:latest', 'team/mid:2', 'old:1']],
  ['before an image', { before: ['team/mid:2'] }, ['old:1']],
  ['since an image', { since: ['team/mid:2'] }, ['new:latest', '-']],
  ['between images', { since: ['old:1'], before: ['new'] }, ['-', 'team/mid:2']],
  ['a label', { label: ['k'] }, ['team/mid:2', 'old:1']],
  ['a label with value', { label: ['k=w'] }, ['team/mid:2']],
  ['no such label', { 'label!': ['k=w'] }, ['new:latest', '-', 'old:1']],
  ['until a time', { until: ['2020-06-01'] }, ['old:1']],
  ['until a duration ago', { until: ['17520h'] }, ['team/mid:2', 'old:1']],
  ['a reference', { reference: ['*/mid'] }, ['team/mid:2']],
  ['one of several references', { reference: ['old', 'n?w:la*'] }, ['new:latest', 'old:1']],
  ['a reference without image', { reference: ['nope'] }, []],
];
for (const [title, filters, expected] of FILTERS) {
  test(`filtered by ${title}`, async () => {
    await using fixture = await filled();
    assert.deepEqual(tags(listed(fixture, filters)), expected);
  });
}

const REFUSED: [filters: Record<string, string[]>, kind: 'invalid' | 'not-found', text: string][] = [
  [{ dangling: ['x'] }, 'invalid', "invalid filter 'dangling=[x]'"],
  [{ dangling: ['true', 'false'] }, 'invalid', "invalid filter 'dangling=[true false]'"],
  [{ nope: ['x'] }, 'invalid', "invalid filter 'nope'"],
  [{ id: ['x'] }, 'invalid', "invalid filter 'id'"],
  [{ before: ['nope'] }, 'not-found', 'No such image: nope:latest'],
  [{ since: ['nope'] }, 'not-found', 'No such image: nope:latest'],
  [{ before: [''] }, 'invalid', 'invalid reference format'],
  [{ until: ['x'] }, 'invalid', 'failed to parse value as time or duration: "x"'],
  [{ reference: ['['] }, 'invalid', 'syntax error in pattern'],
  [{ reference: ['imgp/a[1'] }, 'invalid', 'syntax error in pattern'],
];
for (const [filters, kind, text] of REFUSED) {
  test(`${JSON.stringify(filters)} is refused`, async () => {
    await using fixture = await filled();
    assert.throws(
      () => listed(fixture, filters),
      (thrown: Error) => isKind(thrown, kind) && thrown.message === text,
    );
  });
}

test('a reference filter shows only the tags that fit', async () => {
  await using fixture = await filled();
  await tagImage(fixture, 'old:1', { repo: 'other', tag: '1' });
  assert.deepEqual(listed(fixture, { reference: ['other'] })[0]?.RepoTags, ['other:1']);
});

test('shared bytes are those of layers that several images have', async () => {
  await using fixture = openFixture();
  const [shared, own] = [layerOf({ a: 'aaaa' }), layerOf({ b: 'bb' })];
  const one = { config: configOf([shared]), layers: [shared], tags: ['one:1'] };
  const two = { config: configOf([shared, own]), layers: [shared, own], tags: ['two:1'] };
  await load(fixture, packed(dockerMembers(one, two)));
  fixture.users.set(fixture.images.resolve('two:1').id, [{ id: 'c', running: false }]);
  const list = listed(fixture, {}, { sharedSize: true });
  assert.deepEqual(
    list.map((image) => [image.RepoTags?.[0], image.Size, image.SharedSize, image.Containers]).sort(),
    [
      ['one:1', 4, 4, 0],
      ['two:1', 6, 4, 1],
    ],
  );
});

test('a time that can’t be read, or lies before 1970, is 0', async () => {
  await using fixture = openFixture();
  await someImage(fixture, 'a:1', 'a', { created: 'soon' });
  await someImage(fixture, 'b:1', 'b', { created: '1960-01-01T00:00:00Z' });
  assert.deepEqual(
    listed(fixture).map((image) => image.Created),
    [0, 0],
  );
});
