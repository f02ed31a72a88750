import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { isKind } from '../../base/index.ts';
import { imageHistory } from './history.ts';
import { inspectImage } from './inspect.ts';
import { tagImage } from './tag.ts';
import { configOf, dockerMembers, imported, layerOf, load, openFixture, packed } from './test-fixture.ts';

const layers = [layerOf({ big: Buffer.alloc(9000) }), layerOf({ two: 'two\n' })];
const config = configOf(layers, {
  author: 'me',
  docker_version: '28.0.1',
  config: {
    Env: ['A=b'],
    Cmd: ['sh'],
    ExposedPorts: { '80/tcp': {} },
    Volumes: { '/v': {} },
    WorkingDir: '/w',
    Labels: { z: '1' },
    StopSignal: 'SIGINT',
    Shell: ['/bin/x'],
    Healthcheck: { Test: ['CMD', 't'], Interval: 1_000_000_000 },
    ArgsEscaped: true,
    OnBuild: ['RUN x'],
    Hostname: 'hh',
    Image: 'parent',
    Domainname: 'dd',
  },
  history: [
    { created: '2020-01-02T03:04:05Z', created_by: 'ADD one' },
    { created: '2020-01-02T03:04:06Z', created_by: 'ENV A=b', empty_layer: true },
    { created: '2020-01-02T03:04:07Z', created_by: 'COPY two', comment: 'c' },
  ],
});

async function filled() {
  const fixture = openFixture();
  await load(fixture, packed(dockerMembers({ config, layers, tags: ['app:1', 'other:2'] })));
  return fixture;
}

test('a loaded image is shown field by field as the reference shows it', async () => {
  await using fixture = await filled();
  const image = fixture.images.resolve('app:1');
  const [lower, upper] = image.layers.map((layer) => fixture.snapshots.directory(layer.chainId)) as [
    string,
    string,
  ];
  const { os, architecture } = JSON.parse(String(config));
  assert.deepEqual(await inspectImage(fixture, 'app:1', {}), {
    Id: image.id,
    RepoTags: ['app:1', 'other:2'],
    RepoDigests: [],
    Parent: '',
    Comment: 'c',
    Created: '2024-01-02T03:04:05Z',
    DockerVersion: '28.0.1',
    Author: 'me',
    Architecture: architecture,
    Os: os,
    Size: 9004,
    GraphDriver: {
      Name: 'overlay2',
      Data: {
        LowerDir: lower,
        MergedDir: join(dirname(upper), 'merged'),
        UpperDir: upper,
        WorkDir: join(dirname(upper), 'work'),
      },
    },
    RootFS: { Type: 'layers', Layers: image.layers.map((layer) => layer.diffId) },
    Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
    Config: {
      ArgsEscaped: true,
      Cmd: ['sh'],
      Entrypoint: null,
      Env: ['A=b'],
      ExposedPorts: { '80/tcp': {} },
      Healthcheck: { Interval: 1_000_000_000, Test: ['CMD', 't'] },
      Labels: { z: '1' },
      OnBuild: ['RUN x'],
      Shell: ['/bin/x'],
      StopSignal: 'SIGINT',
      User: '',
      Volumes: { '/v': {} },
      WorkingDir: '/w',
    },
  });
});

test('an imported image has the nulls of the reference', async () => {
  await using fixture = openFixture();
  await imported(fixture, layerOf({ a: 'a' }), { repo: 'app', tag: '1' });
  const shown = await inspectImage(fixture, 'app:1', {});
  assert.deepEqual(shown.Config, {
    Cmd: null,
    Entrypoint: null,
    Env: null,
    Labels: null,
    OnBuild: null,
    User: '',
    Volumes: null,
    WorkingDir: '',
  });
  assert.equal(shown.Comment, 'Imported from -');
  assert.equal(shown.Metadata?.LastTagTime, '2023-11-14T22:13:20Z');
  assert.equal('LowerDir' in (shown.GraphDriver?.Data ?? {}), false);
});

test('an image without layers and config can be shown', async () => {
  await using fixture = openFixture();
  await load(fixture, packed(dockerMembers({ config: configOf([]), layers: [], tags: ['empty:1'] })));
  const shown = await inspectImage(fixture, 'empty:1', {});
  assert.deepEqual([shown.Size, shown.RootFS?.Layers, shown.GraphDriver?.Data], [0, [], {}]);
});

test('of another platform there is no such image', async () => {
  await using fixture = await filled();
  const platform = { os: 'linux', architecture: 'mips' };
  const text =
    /^image with reference app:1 was found but its platform \(linux\/\w+\) does not match the specified platform \(linux\/mips\)$/;
  const missing = (thrown: Error) => isKind(thrown, 'not-found') && text.test(thrown.message);
  await assert.rejects(inspectImage(fixture, 'app:1', { platform }), missing);
  await assert.rejects(imageHistory(fixture, 'app:1', platform), missing);
  await assert.rejects(imageHistory(fixture, 'nope'), { message: 'No such image: nope:latest' });
});

test('history tells instruction by instruction, newest first', async () => {
  await using fixture = await filled();
  const { id } = fixture.images.resolve('app:1');
  const none = { Id: '<missing>', Tags: null, Comment: '' };
  assert.deepEqual(await imageHistory(fixture, 'app:1'), [
    {
      Id: id,
      Created: 1_577_934_247,
      CreatedBy: 'COPY two',
      Tags: ['app:1', 'other:2'],
      Size: 4,
      Comment: 'c',
    },
    { ...none, Created: 1_577_934_246, CreatedBy: 'ENV A=b', Size: 0 },
    { ...none, Created: 1_577_934_245, CreatedBy: 'ADD one', Size: 9000 },
  ]);
});

test('without a history each layer is a line; a history that claims too much has empty ones', async () => {
  await using fixture = openFixture();
  await load(fixture, packed(dockerMembers({ config: configOf(layers), layers, tags: ['plain:1'] })));
  const sizes = (await imageHistory(fixture, 'plain:1')).map((line) => line.Size);
  assert.deepEqual(sizes, [4, 9000]);
  const claims = configOf(layers, { history: [{}, {}, {}, { created: 'never' }] });
  await load(fixture, packed(dockerMembers({ config: claims, layers })));
  await tagImage(
    fixture,
    fixture.images.all().find((image) => fixture.images.namesOf(image.id).length === 0)?.id ?? '',
    { repo: 'claims', tag: '' },
  );
  const lines = await imageHistory(fixture, 'claims');
  assert.deepEqual(
    lines.map((line) => [line.Size, line.Created]),
    [
      [0, 0],
      [0, 0],
      [4, 0],
      [9000, 0],
    ],
  );
});
