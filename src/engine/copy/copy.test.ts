import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { putFile } from '../containers/test-fixture.ts';
import { CopyWorld, calm, file, source, tar } from './copy.cases.ts';
import { copyIn, copyOut } from './index.ts';

function fill(root: string): void {
  putFile(root, 'd/f', 'hi');
  putFile(root, 'd/sub/g', 'deep', 0o4755);
  putFile(root, 'etc/passwd', 'root:x:0:0::/root:/bin/sh\ndaemon:x:77:78::/:/bin/sh\n');
  for (const [name, target] of [
    ['l', 'd'],
    ['ll', 'l'],
    ['lf', '/d/f'],
    ['lx', '/d/f/x'],
    ['dangling', '/none/x'],
    ['loop', 'loop'],
    ['up', '../../../../etc'],
  ]) {
    symlinkSync(target as string, join(root, name as string));
  }
}

function folder() {
  const path = mkdtempSync(join(tmpdir(), 'wharf-copy-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** The answer as kind and text, or `done`. */
async function answer(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (thrown) {
    if (!(thrown instanceof WharfError)) throw thrown;
    return `${thrown.kind}: ${thrown.message}`;
  }
}

const MISSING = (path: string) => `not-found: Could not find the file ${path} in container one`;

test('what a path is', async () => {
  await using world = await CopyWorld.open(fill);
  await world.create('one');
  const at = (path: string) => world.stat('one', path);
  assert.deepEqual(
    { ...(await at('/d/f')), mtime: '' },
    { name: 'f', size: 2, mode: 0o644, mtime: '', linkTarget: '' },
  );
  assert.equal((await at('/d/')).mode, 2 ** 31 + 0o755);
  assert.equal((await at('/d/sub/g')).mode, 2 ** 23 + 0o755);
  assert.match((await at('/d')).mtime, /^\d{4}-\d\d-\d\dT.*Z$/);
  for (const [path, target] of [
    ['/l', '/d'],
    ['/ll', '/d'],
    ['/lf', '/d/f'],
    ['/up', '/etc'],
    ['/dangling', '/none/x'],
    ['/ll/', ''],
  ] as const) {
    assert.equal((await at(path)).linkTarget, target, path);
  }
  assert.deepEqual(world.actions(), []);
});

test('what a path is not', async () => {
  await using world = await CopyWorld.open(fill);
  await world.create('one');
  for (const [path, text] of [
    ['/nope', MISSING('/nope')],
    ['nope/x', MISSING('nope/x')],
    ['/dangling/', MISSING('/dangling/')],
    ['/d/f/', 'internal: lstat /d/f/: not a directory'],
    ['/d/f/x', 'internal: lstat /d/f/x: not a directory'],
    ['/lx', 'internal: lstat /d/f/x: not a directory'],
    ['/loop', 'internal: evalSymlinksInScope: too many links in /loop'],
    ['/loop/', 'internal: lstat /loop/: too many levels of symbolic links'],
    ['/d\0x', 'internal: lstat /d\0x: invalid argument'],
    [`/${'n'.repeat(300)}`, `internal: lstat /${'n'.repeat(300)}: file name too long`],
  ] as const) {
    assert.equal(await answer(world.stat('one', path)), text);
    assert.equal(await answer(copyOut(world.deps, 'one', path, calm)), text);
  }
  assert.equal(await answer(world.stat('two', '/')), 'not-found: No such container: two');
  assert.deepEqual(world.actions(), []);
});

test('what comes out', async () => {
  await using world = await CopyWorld.open(fill);
  await world.create('one');
  assert.deepEqual(await world.get('one', '/d'), ['d/', 'd/f:hi', 'd/sub/', 'd/sub/g:deep']);
  assert.deepEqual(await world.get('one', 'd/sub/..'), ['d/', 'd/f:hi', 'd/sub/', 'd/sub/g:deep']);
  assert.deepEqual(await world.get('one', '/d/sub/.'), ['./', './g:deep']);
  assert.deepEqual(await world.get('one', '/l'), ['l>d']);
  assert.deepEqual(await world.get('one', '/ll/sub/'), ['sub/', 'sub/g:deep']);
  assert.deepEqual((await world.get('one', '/')).slice(0, 2), ['/', '/.dockerenv']);
  assert.deepEqual(new Set(world.actions()), new Set(['archive-path']));
});

test('what goes in, and stays for the start', async () => {
  await using world = await CopyWorld.open(fill);
  const { id } = await world.create('one');
  await world.put('one', '/l/', [
    file('new', 'text'),
    { name: 'made/', mode: 0o700 },
    file('made/inner', 'in'),
  ]);
  assert.deepEqual(await world.get('one', '/d/made'), ['made/', 'made/inner:in']);
  const upper = world.fixture.deps.snapshotter.directory(id);
  assert.equal(readFileSync(join(upper, 'd/new'), 'utf8'), 'text');
  assert.deepEqual(world.actions(), ['extract-to-dir', 'archive-path']);
});

test('where nothing goes in', async () => {
  await using world = await CopyWorld.open(fill);
  await world.create('one');
  for (const [path, text] of [
    ['/nope', MISSING('/nope')],
    ['/dangling', MISSING('/dangling')],
    ['/d/f', 'invalid: extraction point is not a directory'],
    ['/lf', 'invalid: extraction point is not a directory'],
    ['/d/f/', 'internal: lstat /d/f/: not a directory'],
    ['/lf/.', 'internal: lstat /d/f/.: not a directory'],
    ['/d/f/x', 'internal: not a directory'],
    ['/lx', 'internal: not a directory'],
    ['/loop', 'internal: EvalSymlinks: too many links'],
    ['/loop/x', 'internal: EvalSymlinks: too many links'],
    ['/d\0x', 'internal: lstat /d\0x: invalid argument'],
  ] as const) {
    assert.equal(await answer(world.put('one', path, [file('x')])), text, path);
  }
  assert.equal(
    await answer(world.put('one', '/d', [{ name: 'hard', type: 'link', linkName: 'none' }])),
    MISSING('/d'),
  );
  assert.match(await answer(world.put('one', '/d', [file('../../out')])), /^internal: invalid entry name/);
  assert.deepEqual(world.actions(), []);
});

test('folders and files replace each other unless that is forbidden', async () => {
  await using world = await CopyWorld.open(fill);
  await world.create('one');
  const keep = { noOverwriteDirNonDir: true };
  assert.equal(
    await answer(world.put('one', '/d', [file('sub')], keep)),
    'internal: cannot overwrite directory "sub" with non-directory "/d"',
  );
  assert.equal(
    await answer(world.put('one', '/d', [{ name: 'f/' }], keep)),
    'internal: cannot overwrite non-directory "f" with directory "/d"',
  );
  await world.put('one', '/d', [file('sub', 'now a file'), { name: 'f/' }]);
  assert.deepEqual(await world.get('one', '/d'), ['d/', 'd/f/', 'd/sub:now a file']);
});

test('the container’s user owns what comes in, when that is asked for and it has one', async () => {
  await using world = await CopyWorld.open(fill);
  const owners = async (name: string, user: string, copyUidGid: boolean) => {
    const { id } = await world.create(name, {}, { User: user });
    await world.put(name, '/d', [{ ...file('owned', name), uid: 5, gid: 6 }], { copyUidGid });
    const { uid, gid } = statSync(join(world.fixture.deps.snapshotter.directory(id), 'd/owned'));
    return [uid, gid];
  };
  assert.deepEqual(await owners('ua', 'daemon', true), [77, 78]);
  assert.deepEqual(await owners('ub', '1000:2000', true), [1000, 2000]);
  assert.deepEqual(await owners('uc', 'daemon', false), [5, 6]);
  assert.deepEqual(await owners('ue', '', true), [5, 6]);
  await world.create('one', {}, { User: 'nobody-here' });
  assert.equal(
    await answer(world.put('one', '/d', [file('x')], { copyUidGid: true })),
    'invalid: failed to look up user "nobody-here" in container: no matching entries in passwd file',
  );
});

test('mounts of a stopped container are met, its read-only parts are refused', async () => {
  using host = folder();
  mkdirSync(join(host.path, 'b'));
  writeFileSync(join(host.path, 'b/x'), 'bound');
  writeFileSync(join(host.path, 'single'), 'one file');
  await using world = await CopyWorld.open(fill);
  const { path } = host;
  await world.create('one', {
    ReadonlyRootfs: true,
    Binds: [
      `${path}/b:/b`,
      `${path}/b:/ro:ro`,
      `${path}/single:/d/single`,
      'vol:/v/deep',
      `${path}/made:/made`,
    ],
  });
  assert.deepEqual(await world.get('one', '/b'), ['b/', 'b/x:bound']);
  assert.deepEqual(await world.get('one', '/d/single'), ['single:one file']);
  const refused = (at: string) => answer(world.put('one', at, [file('new')]));
  assert.equal(await refused('/'), 'invalid: container rootfs is marked read-only');
  assert.equal(await refused('/d/f'), 'invalid: extraction point is not a directory');
  assert.equal(await refused('/ro'), 'invalid: mounted volume is marked read-only');
  await world.put('one', '/v/deep', [file('kept', 'in the volume')]);
  const volume = world.fixture.deps.volumes.mountpoint('vol');
  assert.equal(readFileSync(join(volume, 'kept'), 'utf8'), 'in the volume');
  assert.deepEqual(await world.get('one', '/v'), ['v/', 'v/deep/', 'v/deep/kept:in the volume']);
  assert.ok(existsSync(join(path, 'made')));
  // Each copy gave its hold of the volume back.
  await world.fixture.deps.volumes.remove('vol');
});

test('a mount is not replaced by an entry', async () => {
  using host = folder();
  writeFileSync(join(host.path, 'single'), 'one file');
  await using world = await CopyWorld.open(fill);
  await world.create('one', { Binds: [`${host.path}/single:/d/single`, 'vol:/d/v'] });
  const busy = (name: string) => `internal: RemoveAll ${name}: device or resource busy`;
  assert.equal(await answer(world.put('one', '/d', [file('single', 'other')])), busy('single'));
  assert.equal(await answer(world.put('one', '/d', [{ name: 'single/' }])), busy('single'));
  assert.equal(await answer(world.put('one', '/', [file('d', 'other')])), busy('d'));
  assert.equal(
    await answer(world.put('one', '/d', [file('v')], { noOverwriteDirNonDir: true })),
    'internal: cannot overwrite directory "v" with non-directory "/d"',
  );
  assert.equal(readFileSync(join(host.path, 'single'), 'utf8'), 'one file');
});

test('a bind whose source is missing is left out, and one at a link is put where that leads', async () => {
  using host = folder();
  mkdirSync(join(host.path, 'b'));
  writeFileSync(join(host.path, 'b/x'), 'bound');
  await using world = await CopyWorld.open(fill);
  const bind = (source: string, target: string) => ({
    Type: 'bind' as const,
    Source: source,
    Target: target,
  });
  await world.create('one', { Mounts: [bind(`${host.path}/b`, '/l/sub'), bind(`${host.path}/b`, '/gone')] });
  assert.deepEqual(await world.get('one', '/d/sub'), ['sub/', 'sub/x:bound']);
  rmSync(join(host.path, 'b'), { recursive: true });
  assert.deepEqual(await world.get('one', '/d/sub'), ['sub/', 'sub/g:deep']);
});

test('images that a stopped container mounts are met, whole and in part, read-only', async () => {
  await using world = await CopyWorld.open(fill);
  const image = (target: string, subpath = '') => ({
    Type: 'image' as const,
    Source: 'busybox',
    Target: target,
    ...(subpath ? { ImageOptions: { Subpath: subpath } } : {}),
  });
  await world.create('one', { Mounts: [image('/whole'), image('/part', 'd/sub')] });
  assert.deepEqual(await world.get('one', '/part'), ['part/', 'part/g:deep']);
  assert.deepEqual(await world.get('one', '/whole/d/f'), ['f:hi']);
  assert.equal(
    await answer(world.put('one', '/whole', [file('new')])),
    'invalid: mounted volume is marked read-only',
  );
});

test('the files that the engine keeps for a container are its own', async () => {
  await using world = await CopyWorld.open(fill);
  const { id } = await world.create('one');
  assert.deepEqual(await world.get('one', '/etc/hosts'), ['hosts']);
  putFile(world.deps.paths.containers, `${id}/hosts`, '127.0.0.1 localhost\n');
  assert.deepEqual(await world.get('one', '/etc/hosts'), ['hosts:127.0.0.1 localhost\n']);
});

test('a copy that is given up lets its container go', async () => {
  await using world = await CopyWorld.open(fill);
  const { id } = await world.create('one');
  const gone = new AbortController();
  const bytes = tar([file('big', 'x'.repeat(100_000))]);
  async function* stalls() {
    yield* source(bytes.subarray(0, 50_000));
    gone.abort();
    await new Promise(() => undefined);
  }
  const options = { noOverwriteDirNonDir: false, copyUidGid: false };
  assert.match(await answer(copyIn(world.deps, 'one', '/d', stalls(), options, gone.signal)), /^cancelled/);
  {
    // Never read.
    await using _ = await copyOut(world.deps, 'one', '/d', calm);
  }
  await world.deps.store.withLock(id, async () => undefined);
});
