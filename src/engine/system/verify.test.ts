import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { type ContentStore, openMemoryContentStore } from '../../content/index.ts';
import { type Digest, digestOf } from '../../oci/index.ts';
import type { ContainerRecord, ContainerStatus } from '../containers/record.ts';
import type { ImageName, ImageRecord, KeptIndex } from '../images/index.ts';
import { type VerifyDeps, verifyEngine } from './verify.ts';

const running = 'a'.repeat(64);
const stopped = 'b'.repeat(64);
const chain = digestOf('chain');

function container(id: string, status: ContainerStatus, pid: number): ContainerRecord {
  return { id, state: { status, pid }, mounts: [] } as unknown as ContainerRecord;
}

/** An engine in which everything is as it must be; each test spoils one thing. */
async function sound() {
  const root = mkdtempSync('/var/tmp/wharf-verify-');
  const content = openMemoryContentStore();
  const blob = await content.put(Buffer.from('blob'), 'x');
  const image = {
    id: digestOf('image'),
    manifest: blob,
    config: blob,
    layers: [{ chainId: chain, blob }],
  } as unknown as ImageRecord;
  const snapshots = [
    { key: chain, kind: 'layer' as const, parent: undefined },
    { key: `${chain}-init`, kind: 'layer' as const, parent: chain },
    { key: running, kind: 'active' as const, parent: `${chain}-init` },
    { key: stopped, kind: 'active' as const, parent: `${chain}-init` },
    { key: 'extract-1', kind: 'active' as const, parent: undefined },
    { key: 'init-1', kind: 'active' as const, parent: chain },
  ];
  const directory = (key: string) => join(root, 'overlay', key);
  for (const { key } of snapshots) mkdirSync(directory(key), { recursive: true });
  const volumes = join(root, 'volumes');
  mkdirSync(join(volumes, 'data/_data'), { recursive: true });
  const state = {
    root,
    blob,
    containers: [container(running, 'running', 4711), container(stopped, 'exited', 0)],
    images: [image],
    names: [{ name: 'docker.io/library/one:1', imageId: image.id, target: blob }] as ImageName[],
    indexes: [{ digest: blob.digest, blobs: [blob] }] as KeptIndex[],
    snapshots,
    mountPoints: ['/', `/run/mounts/${running}`, `/run/mounts/${running}/etc/hosts`],
    alive: new Set([4711]),
    cgroups: new Set([running]),
    leftovers: [running],
    volumeNames: ['data'],
    underway: [] as string[],
    database: [] as string[],
    network: [] as string[],
    directory,
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
  const deps: VerifyDeps = {
    database: { check: () => state.database },
    content,
    snapshots: {
      list: () => state.snapshots,
      stat: (key) => state.snapshots.find((snapshot) => snapshot.key === key),
      directory,
    },
    networks: { verify: async () => state.network },
    volumes: {
      list: () => state.volumeNames.map((name) => ({ name, driver: 'local' }) as never),
      mountpoint: (name) => join(volumes, name, '_data'),
      underway: () => state.underway,
    },
    tasks: { leftovers: async () => state.leftovers },
    containers: () => state.containers,
    images: () => state.images,
    imageNames: () => state.names,
    imageIndexes: () => state.indexes,
    mountPoints: () => state.mountPoints,
    alive: (pid) => state.alive.has(pid),
    hasCgroup: (record) => state.cgroups.has(record.id),
    paths: { mounts: '/run/mounts', volumes, subpaths: '/run/subpaths' },
    looseLoops: () => [],
  };
  return { state, deps };
}

type Sound = Awaited<ReturnType<typeof sound>>;

test('an engine in order has no findings', async () => {
  const { state, deps } = await sound();
  using _ = state;
  assert.deepEqual(await verifyEngine(deps), { ok: true, findings: [] });
});

const RED: [title: string, spoil: (sound: Sound) => unknown, check: string, problem: RegExp][] = [
  ['a broken database', ({ state }) => state.database.push('row 3 missing'), 'database', /^row 3 missing$/],
  ['a network object too many', ({ state }) => state.network.push('veth1 is no one’s'), 'network', /veth1/],
  [
    'a blob with other content',
    ({ deps }) => {
      const { content } = deps;
      deps.content = { list: () => content.list(), open: () => Readable.from([Buffer.from('flipped')]) };
    },
    'content',
    /^blob sha256:\w+ has other content than its name says$/,
  ],
  [
    'a blob that is missing',
    ({ state }) =>
      state.images.push({ ...state.images[0], manifest: { digest: digestOf('gone') } } as ImageRecord),
    'content',
    /^blob sha256:\w+ of image sha256:\w+ is missing$/,
  ],
  [
    'a blob of a kept index that is missing',
    ({ state }) => state.indexes[0]?.blobs.push({ digest: digestOf('attestation'), size: 1 }),
    'content',
    /^blob sha256:\w+ of index sha256:\w+ is missing$/,
  ],
  [
    'a name of an image that is missing',
    ({ state }) => state.names.push({ name: 'docker.io/library/two:1', imageId: digestOf('gone') }),
    'names',
    /^name docker.io\/library\/two:1 stands for image sha256:\w+, which is missing$/,
  ],
  [
    'a name whose target is not kept',
    ({ state }) => {
      const target = { mediaType: 'x', digest: digestOf('index'), size: 1 };
      state.names.push({ name: 'docker.io/library/two:1', imageId: digestOf('image'), target });
    },
    'names',
    /^name docker.io\/library\/two:1 came as sha256:\w+, which is not kept$/,
  ],
  [
    'an index kept for no name',
    ({ state }) => {
      state.names = [];
    },
    'names',
    /^index sha256:\w+ is kept, but no name came as it$/,
  ],
  [
    'a layer that is missing',
    ({ state }) => {
      state.snapshots = state.snapshots.filter(({ key }) => key !== chain);
    },
    'layers',
    /^layer sha256:\w+ of image sha256:\w+ is missing$/,
  ],
  [
    'a snapshot without its directory',
    ({ state }) => rmSync(state.directory(chain), { recursive: true }),
    'layers',
    /^the directory of snapshot sha256:\w+ is missing$/,
  ],
  [
    'a snapshot of no container',
    ({ state }) => {
      state.snapshots.push({ key: 'c'.repeat(64), kind: 'active', parent: `${chain}-init` });
      mkdirSync(state.directory('c'.repeat(64)));
    },
    'layers',
    /^snapshot c+ belongs to no container$/,
  ],
  [
    'a container without a root filesystem',
    ({ state }) => {
      state.snapshots = state.snapshots.filter(({ key }) => key !== stopped);
    },
    'layers',
    /^container b+ has no root filesystem$/,
  ],
  [
    'a process that is gone',
    ({ state }) => state.alive.clear(),
    'containers',
    /^container a+ is running, but its process 4711 is gone$/,
  ],
  [
    'a cgroup that is left',
    ({ state }) => state.cgroups.add(stopped),
    'containers',
    /^container b+ is exited, but has a cgroup$/,
  ],
  [
    'a mount that is left',
    ({ state }) => state.mountPoints.push(`/run/mounts/${stopped}/x`),
    'mounts',
    /is mounted, but container b+ does not run$/,
  ],
  [
    'a mount that is missing',
    ({ state }) => {
      state.mountPoints = ['/'];
    },
    'mounts',
    /^the root filesystem of running container a+ is not mounted$/,
  ],
  [
    'runtime state that is left',
    ({ state }) => state.leftovers.push(stopped),
    'tasks',
    /^runtime state of b+ is left, but it does not run$/,
  ],
  [
    'a volume without its directory',
    ({ state }) => state.volumeNames.push('gone'),
    'volumes',
    /^the directory of volume gone is missing$/,
  ],
  [
    'a directory of no volume',
    ({ state }) => {
      state.volumeNames = [];
    },
    'volumes',
    /volumes\/data is a directory of no volume$/,
  ],
];

for (const [title, spoil, check, problem] of RED) {
  test(`${title} is found, and nothing else`, async () => {
    const made = await sound();
    using _ = made.state;
    spoil(made);
    const { ok, findings } = await verifyEngine(made.deps);
    assert.equal(ok, false);
    assert.deepEqual([...new Set(findings.map((finding) => finding.check))], [check]);
    for (const finding of findings) assert.match(finding.problem, problem);
  });
}

test('a container on its way out need not have a root filesystem', async () => {
  const { state, deps } = await sound();
  using _ = state;
  state.containers.push(container('d'.repeat(64), 'removing', 0), container('e'.repeat(64), 'dead', 0));
  assert.equal((await verifyEngine(deps)).ok, true);
});

test('a paused container counts as running, a restarting one as neither', async () => {
  const { state, deps } = await sound();
  using _ = state;
  state.containers = [container(running, 'paused', 4711), container(stopped, 'restarting', 0)];
  state.cgroups.add(stopped);
  assert.equal((await verifyEngine(deps)).ok, true);
});

test('a volume being made or deleted is no finding', async () => {
  const { state, deps } = await sound();
  using _ = state;
  state.underway = ['data', 'moved'];
  state.volumeNames = ['moved'];
  assert.equal((await verifyEngine(deps)).ok, true);
});

test('a download that was cut is no finding', async () => {
  const { state, deps } = await sound();
  using _ = state;
  const content = openMemoryContentStore();
  await content.put(Buffer.from('blob'), 'x');
  const ingest = await content.ingest(`sha256-${'0'.repeat(64)}`);
  await ingest.write(Buffer.from('half'));
  await ingest.close();
  deps.content = content;
  assert.equal((await verifyEngine(deps)).ok, true);
});

test('images that come and go meanwhile are no finding', async () => {
  const { state, deps } = await sound();
  using _ = state;
  const [image] = state.images;
  const going = await (deps.content as ContentStore).put(Buffer.from('going'), 'x');
  state.images.push({ ...image, id: digestOf('going'), manifest: going } as ImageRecord);
  const { list } = deps.content;
  deps.content.list = async function* () {
    for await (const found of list.call(deps.content)) {
      if (found.digest === going.digest) {
        // Removed, and another one pulled, while the blobs are looked at.
        await (deps.content as ContentStore).remove(going.digest);
        const coming = { mediaType: 'x', digest: digestOf('coming'), size: 6 };
        state.images[1] = { ...image, id: digestOf('coming'), manifest: coming } as ImageRecord;
      }
      yield found;
    }
  };
  assert.deepEqual(await verifyEngine(deps), { ok: true, findings: [] });
});

test('without a volumes folder there are no volumes', async () => {
  const { state, deps } = await sound();
  using _ = state;
  state.volumeNames = [];
  rmSync(deps.paths.volumes, { recursive: true });
  assert.equal((await verifyEngine(deps)).ok, true);
});

test('blobs of other hashes are checked, too', async () => {
  const { state, deps } = await sound();
  using _ = state;
  const digest = `sha512:${'0'.repeat(128)}` as Digest;
  deps.content = {
    async *list() {
      yield { digest: state.blob.digest, size: 4 };
      yield { digest, size: 4 };
    },
    open: () => Readable.from([Buffer.from('blob')]),
  };
  assert.deepEqual((await verifyEngine(deps)).findings, [
    { check: 'content', problem: `blob ${digest} has other content than its name says` },
  ]);
});
