import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { type ContentStore, openMemoryContentStore } from '../../content/index.ts';
import type { Digest } from '../../oci/index.ts';
import type { ImageRecord } from '../images/index.ts';
import { type DiskUsageDeps, diskUsage, layerSizes } from './disk-usage.ts';

const SIZES: Record<string, number> = { shared: 8192, top: 4096, other: 12288, 'top-init': 4096 };

/** Two images that share a layer; each has a blob of its own, and they share one. */
async function usage() {
  const content = openMemoryContentStore();
  const blob = async (text: string) => (await content.put(Buffer.from(text), 'x')).digest;
  const [common, one, two] = [await blob('common'), await blob('one'), await blob('x'.repeat(5000))];
  const blobs: Record<string, Digest[]> = { 'sha256:one': [common, one], 'sha256:two': [common, two] };
  const image = (id: string, layers: string[]) =>
    ({ id, layers: layers.map((chainId) => ({ chainId })) }) as unknown as ImageRecord;
  const deps: DiskUsageDeps = {
    images: {
      all: () => [image('sha256:one', ['shared', 'top']), image('sha256:two', ['shared', 'other'])],
      blobsOf: (id) => blobs[id] ?? [],
    },
    content,
    snapshots: {
      list: () => [
        ...Object.keys(SIZES).map((key) => ({ key, kind: 'layer' as const, parent: undefined })),
        { key: 'container', kind: 'active' as const, parent: 'top-init' },
      ],
      stat: (key) => {
        const parent = { container: 'top-init', 'top-init': 'top', top: 'shared' }[key];
        return { key, kind: 'active', parent };
      },
    },
    isContainer: (id) => id === 'container',
    containerSize: async () => 100_000,
    activeSize: async () => assert.fail('nothing is being unpacked'),
    layerSize: async (key) => SIZES[key] ?? assert.fail(`${key} is no layer`),
    imageSummaries: () => [
      { Id: 'sha256:one', Size: 3 },
      { Id: 'sha256:two', Size: 3 },
    ],
    containers: async () => [{ Id: 'container' }],
    volumes: async () =>
      [
        { Name: 'volume', Driver: 'local', Options: null },
        { Name: 'limited', Driver: 'local', Options: { size: '10m' } },
        { Name: 'tmpfs', Driver: 'local', Options: { type: 'tmpfs', device: 'tmpfs' } },
        { Name: 'far', Driver: 'plugin', Options: null },
        { Name: 'gone', Driver: 'local', Options: null },
      ] as never,
    volumeSize: async (name) => {
      if (name === 'gone') throw new WharfError('not-found', 'get gone: no such volume');
      return name.length * 4096;
    },
    volumeUsers: (name) => (name === 'volume' ? ['container'] : []),
  };
  return deps;
}

test('images take what their layers and blobs take on disk, shared ones once', async () => {
  assert.deepEqual(await diskUsage(await usage(), []), {
    // Blobs take whole blocks: 4096 for each of the two small ones, and 8192.
    LayersSize: 8192 + 4096 + 12288 + 4096 + 4096 + 4096 + 8192,
    Images: [
      { Id: 'sha256:one', Size: 8192 + 4096 + 4096 + 4096, SharedSize: 8192 + 4096 },
      { Id: 'sha256:two', Size: 8192 + 12288 + 4096 + 8192, SharedSize: 8192 + 4096 },
    ],
    Containers: [{ Id: 'container', SizeRw: 100_000, SizeRootFs: 100_000 + 4096 + 4096 + 8192 }],
    Volumes: [
      { Name: 'volume', Driver: 'local', Options: null, UsageData: { Size: 6 * 4096, RefCount: 1 } },
      {
        Name: 'limited',
        Driver: 'local',
        Options: { size: '10m' },
        UsageData: { Size: 7 * 4096, RefCount: 0 },
      },
    ],
    BuildCache: [],
  });
});

test('downloads that were cut, and uploads on their way, take their place and are no part of an image', async () => {
  const deps = await usage();
  const { LayersSize, Images } = await diskUsage(deps, ['image']);
  for (const [key, bytes] of [[`sha256-${'a'.repeat(64)}`, 9000] as const, ['upload-1', 1] as const]) {
    const ingest = await (deps.content as ContentStore).ingest(key);
    await ingest.write(Buffer.alloc(bytes));
    if (bytes > 1) await ingest.close();
  }
  const after = await diskUsage(deps, ['image']);
  assert.equal(after['LayersSize'], Number(LayersSize) + 12288 + 4096);
  assert.deepEqual(after['Images'], Images);
});

for (const [type, field] of [
  ['image', 'Images'],
  ['container', 'Containers'],
  ['volume', 'Volumes'],
  ['build-cache', 'BuildCache'],
] as const) {
  test(`disk usage of ${type} alone asks nobody else`, async () => {
    const calls = new Set<string>();
    const deps = await usage();
    const watch = <T>(name: string, work: () => T) => {
      return () => {
        calls.add(name);
        return work();
      };
    };
    const watched = {
      ...deps,
      images: { ...deps.images, all: watch('image', deps.images.all) },
      imageSummaries: watch('image', deps.imageSummaries),
      containers: watch('container', deps.containers),
      volumes: watch('volume', deps.volumes),
    };
    const found = await diskUsage(watched, [type]);
    for (const other of ['Images', 'Containers', 'Volumes', 'BuildCache']) {
      assert.equal(found[other] === null, other !== field, other);
    }
    assert.deepEqual([...calls], type === 'build-cache' ? [] : [type]);
  });
}

test('an unpacking under way takes its place, and is no part of an image', async () => {
  const deps = await usage();
  const before = await diskUsage(deps, ['image']);
  const list = () => [
    ...deps.snapshots.list(),
    { key: 'extract-1', kind: 'active' as const, parent: undefined },
  ];
  const busy = { ...deps, snapshots: { ...deps.snapshots, list }, activeSize: async () => 50_000 };
  const after = await diskUsage(busy, ['image']);
  assert.equal(after['LayersSize'], Number(before['LayersSize']) + 50_000);
  assert.deepEqual(after['Images'], before['Images']);
});

test('a layer is measured once, again when it came back, and not at all when it is gone', async () => {
  const walked: string[] = [];
  const here = new Set(['a', 'b']);
  const stat = (key: string) =>
    here.has(key) ? { key, kind: 'layer' as const, parent: undefined } : undefined;
  const sizes = layerSizes({ stat }, async (key) => {
    walked.push(key);
    return here.has(key) ? 8192 : 0;
  });
  assert.deepEqual([await sizes('a'), await sizes('a'), await sizes('b')], [8192, 8192, 8192]);
  assert.deepEqual(walked, ['a', 'b']);
  here.delete('a');
  assert.equal(await sizes('c'), 0, 'removed since it was listed');
  here.add('a');
  assert.equal(await sizes('a'), 8192);
  assert.deepEqual(walked, ['a', 'b', 'c', 'a']);
});

test('a layer that can not be measured is an error', async () => {
  const stat = (key: string) => ({ key, kind: 'layer' as const, parent: undefined });
  const fails = async () => Promise.reject(new Error('input/output error'));
  await assert.rejects(layerSizes({ stat }, fails)('a'), /input\/output error/);
});
