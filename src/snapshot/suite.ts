import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ErrorKind, isKind } from '../base/index.ts';
import { mount, umount } from '../sys/index.ts';
import type { MountSpec, Snapshotter } from './types.ts';

/** Mounts for the time of `work`. */
export async function mounted<T>(spec: MountSpec, work: (path: string) => T | Promise<T>): Promise<T> {
  const target = mkdtempSync(join(tmpdir(), 'wharf-mnt-'));
  mount({
    source: spec.source,
    target,
    type: spec.type,
    flags: [...spec.flags, 'private'],
    data: spec.options.join(','),
  });
  try {
    return await work(target);
  } finally {
    umount(target);
    rmSync(target, { recursive: true });
  }
}

/** A layer made of files by path; a name that ends in a slash is a directory. */
export async function makeLayer(
  snapshots: Snapshotter,
  name: string,
  parent: string | undefined,
  files: Record<string, string>,
) {
  await snapshots.prepare(`make-${name}`, parent);
  await mounted(snapshots.mount(`make-${name}`), (root) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, path, '..'), { recursive: true });
      if (path.endsWith('/')) mkdirSync(join(root, path), { recursive: true });
      else writeFileSync(join(root, path), text);
    }
  });
  await snapshots.commit(name, `make-${name}`);
}

/** A snapshotter that was opened for one test, and goes with its folder when disposed. */
export interface Opened extends Disposable {
  snapshots: Snapshotter;
  root: string;
  /** The same folder and records opened anew, as after a restart. */
  again(): Snapshotter;
}

/** What every `Snapshotter` must keep. Needs root. */
export function snapshotterSuite(name: string, open: () => Opened): void {
  const on = (title: string, check: (snapshots: Snapshotter, opened: Opened) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      using opened = open();
      await check(opened.snapshots, opened);
      await opened.snapshots.settled();
    });
  const fails = (work: Promise<unknown>, kind: ErrorKind) =>
    assert.rejects(work, (thrown) => isKind(thrown, kind));
  const codes = async (snapshots: Snapshotter, key: string) =>
    (await snapshots.changes(key)).map(({ path, kind }) => `${kind[0]} ${path}`);

  on('a layer is seen through an active snapshot, and never changed by it', async (snapshots) => {
    await makeLayer(snapshots, 'base', undefined, { '/etc/motd': 'hello', '/bin/tool': 'x' });
    await snapshots.prepare('c1', 'base');
    await mounted(snapshots.mount('c1'), (root) => {
      assert.equal(readFileSync(join(root, 'etc/motd'), 'utf8'), 'hello');
      writeFileSync(join(root, 'etc/motd'), 'changed');
      rmSync(join(root, 'bin/tool'));
      assert.deepEqual(readdirSync(join(root, 'bin')), []);
    });
    await snapshots.prepare('c2', 'base');
    await mounted(snapshots.mount('c2'), (root) => {
      assert.equal(readFileSync(join(root, 'etc/motd'), 'utf8'), 'hello');
      assert.deepEqual(readdirSync(join(root, 'bin')), ['tool']);
    });
    await mounted(snapshots.mount('c1'), (root) =>
      assert.equal(readFileSync(join(root, 'etc/motd'), 'utf8'), 'changed'),
    );
  });

  on('layers stand on layers', async (snapshots) => {
    await makeLayer(snapshots, 'sha256:one', undefined, { '/a': '1', '/b': '1' });
    await makeLayer(snapshots, 'sha256:two', 'sha256:one', { '/b': '2', '/c': '2' });
    await snapshots.prepare('top', 'sha256:two');
    await mounted(snapshots.mount('top'), (root) => {
      assert.deepEqual(
        ['a', 'b', 'c'].map((file) => readFileSync(join(root, file), 'utf8')),
        ['1', '2', '2'],
      );
    });
    assert.deepEqual(snapshots.stat('sha256:two'), {
      key: 'sha256:two',
      kind: 'layer',
      parent: 'sha256:one',
    });
    assert.deepEqual(
      snapshots
        .list()
        .map(({ key }) => key)
        .sort(),
      ['sha256:one', 'sha256:two', 'top'],
    );
  });

  on('a layer is mounted read-only', async (snapshots) => {
    await makeLayer(snapshots, 'one', undefined, { '/a': '1' });
    await makeLayer(snapshots, 'two', 'one', { '/b': '2' });
    for (const layer of ['one', 'two']) {
      await mounted(snapshots.mount(layer), (root) => {
        assert.equal(readFileSync(join(root, 'a'), 'utf8'), '1');
        assert.throws(() => writeFileSync(join(root, 'new'), ''), { code: 'EROFS' });
      });
    }
  });

  on('refuses what does not fit', async (snapshots) => {
    await makeLayer(snapshots, 'base', undefined, {});
    await snapshots.prepare('active', 'base');
    await fails(snapshots.prepare('active', undefined), 'conflict');
    await fails(snapshots.prepare('base', undefined), 'conflict');
    await fails(snapshots.prepare('x', 'nothing'), 'not-found');
    await fails(snapshots.prepare('x', 'active'), 'conflict');
    for (const bad of ['', 'a/b', '../x', 'a b', 'a\n', 'ä'])
      await fails(snapshots.prepare(bad, undefined), 'invalid');
    await fails(snapshots.commit('a/b', 'active'), 'invalid');
    await fails(snapshots.commit('y', 'nothing'), 'not-found');
    await fails(snapshots.commit('y', 'base'), 'conflict');
    await fails(snapshots.remove('nothing'), 'not-found');
    assert.throws(
      () => snapshots.mount('nothing'),
      (thrown) => isKind(thrown, 'not-found'),
    );
    assert.equal(snapshots.stat('nothing'), undefined);
    assert.equal(snapshots.stat('x'), undefined);
  });

  on('what something stands on stays', async (snapshots, { root }) => {
    await makeLayer(snapshots, 'base', undefined, { '/a': '1' });
    await snapshots.prepare('c', 'base');
    await fails(snapshots.remove('base'), 'conflict');
    await snapshots.remove('c');
    assert.equal(snapshots.stat('c'), undefined);
    const directory = snapshots.directory('base');
    await snapshots.remove('base');
    assert.equal(existsSync(directory), false);
    await snapshots.settled();
    assert.deepEqual(readdirSync(join(root, 'trash')), []);
    await fails(snapshots.remove('base'), 'not-found');
  });

  on('committing a layer that exists drops the second one', async (snapshots) => {
    await makeLayer(snapshots, 'base', undefined, { '/a': 'first' });
    await makeLayer(snapshots, 'base', undefined, { '/a': 'second' });
    assert.deepEqual(
      snapshots.list().map(({ key }) => key),
      ['base'],
    );
    assert.equal(readFileSync(join(snapshots.directory('base'), 'a'), 'utf8'), 'first');
  });

  on('two commits of one layer at once leave one', async (snapshots) => {
    for (const key of ['p', 'q']) {
      await snapshots.prepare(key, undefined);
      writeFileSync(join(snapshots.directory(key), 'a'), 'same');
    }
    await Promise.all([snapshots.commit('base', 'p'), snapshots.commit('base', 'q')]);
    assert.deepEqual(snapshots.list(), [{ key: 'base', kind: 'layer', parent: undefined }]);
  });

  on('layers made on nothing are put on each other at their commits', async (snapshots) => {
    const texts: Record<string, string[]> = { one: ['a', 'b'], two: ['b', 'c'], three: ['c'] };
    for (const [layer, files] of Object.entries(texts)) {
      await snapshots.prepare(`make-${layer}`, undefined);
      for (const file of files) writeFileSync(join(snapshots.directory(`make-${layer}`), file), layer);
    }
    await fails(snapshots.commit('two', 'make-two', 'one'), 'not-found');
    await snapshots.commit('one', 'make-one');
    await fails(snapshots.commit('two', 'make-two', 'make-three'), 'conflict');
    await snapshots.commit('two', 'make-two', 'one');
    await snapshots.commit('three', 'make-three', 'two');
    assert.equal(snapshots.stat('three')?.parent, 'two');
    await fails(snapshots.remove('two'), 'conflict');
    await snapshots.prepare('c', 'three');
    await mounted(snapshots.mount('c'), (root) => {
      const seen = ['a', 'b', 'c'].map((file) => readFileSync(join(root, file), 'utf8'));
      assert.deepEqual(seen, ['one', 'two', 'three']);
      writeFileSync(join(root, 'b'), 'mine');
    });
    assert.deepEqual(await codes(snapshots, 'c'), ['m /b']);
  });

  on('a commit may wait for its parent to be made, and fails with it', async (snapshots) => {
    for (const key of ['p', 'q', 'r']) await snapshots.prepare(key, undefined);
    const made = Promise.withResolvers<void>();
    const upper = snapshots.commit('two', 'q', 'one', made.promise);
    const broken = snapshots.commit('three', 'r', 'two', Promise.reject(new Error('not made')));
    await assert.rejects(broken, /not made/);
    assert.equal(snapshots.stat('r')?.kind, 'active');
    await snapshots.commit('one', 'p');
    assert.equal(snapshots.stat('two'), undefined);
    made.resolve();
    await upper;
    assert.deepEqual(snapshots.stat('two'), { key: 'two', kind: 'layer', parent: 'one' });
  });

  on('a commit may name the parent it stands on, and no other', async (snapshots) => {
    await makeLayer(snapshots, 'one', undefined, {});
    await makeLayer(snapshots, 'other', undefined, {});
    await snapshots.prepare('make', 'one');
    await fails(snapshots.commit('two', 'make', 'other'), 'conflict');
    await snapshots.commit('two', 'make', 'one');
    assert.equal(snapshots.stat('two')?.parent, 'one');
    await snapshots.prepare('again', undefined);
    // The layer is there: whatever is said of its parent changes nothing.
    await snapshots.commit('two', 'again', 'other');
    assert.equal(snapshots.stat('two')?.parent, 'one');
    assert.equal(snapshots.stat('again'), undefined);
  });

  on(
    'a root directory given at the commit takes the parent’s attributes unless it has its own',
    async (snapshots) => {
      await snapshots.prepare('make', undefined);
      chmodSync(snapshots.directory('make'), 0o1777);
      chownSync(snapshots.directory('make'), 5, 6);
      await snapshots.commit('base', 'make');
      const attributes = async (layer: string, touch: (path: string) => void) => {
        await snapshots.prepare('extract', undefined);
        touch(snapshots.directory('extract'));
        await snapshots.commit(layer, 'extract', 'base');
        return mounted(snapshots.mount(layer), (path) => {
          const { mode, uid, gid } = statSync(path);
          return [(mode & 0o7777).toString(8), uid, gid];
        });
      };
      const untouched = (path: string) => writeFileSync(join(path, 'file'), '');
      assert.deepEqual(await attributes('silent', untouched), ['1777', 5, 6]);
      assert.deepEqual(await attributes('mode', (path) => chmodSync(path, 0o700)), ['700', 0, 0]);
      assert.deepEqual(await attributes('owner', (path) => chownSync(path, 1, 0)), ['755', 1, 0]);
      assert.deepEqual(await attributes('time', (path) => utimesSync(path, 9, 9)), ['755', 0, 0]);
    },
  );

  on('everything is there after a restart', async (snapshots, opened) => {
    await makeLayer(snapshots, 'base', undefined, { '/a': '1' });
    await snapshots.prepare('c', 'base');
    writeFileSync(join(snapshots.directory('c'), 'mine'), 'x');
    const next = opened.again();
    assert.deepEqual(await next.recover(), { removed: [], damaged: [] });
    assert.deepEqual(next.list(), snapshots.list());
    assert.equal(next.directory('c'), snapshots.directory('c'));
    await next.prepare('d', 'base');
    assert.notEqual(next.directory('d'), next.directory('c'));
  });

  on(
    'recover drops folders without a record and reports records without a folder',
    async (snapshots, opened) => {
      await makeLayer(snapshots, 'base', undefined, { '/a': '1' });
      await makeLayer(snapshots, 'two', 'base', { '/b': '1' });
      await snapshots.prepare('c', 'two');
      await snapshots.prepare('fine', undefined);
      mkdirSync(join(opened.root, '9000', 'fs'), { recursive: true });
      mkdirSync(join(opened.root, 'trash', 'old'), { recursive: true });
      rmSync(join(snapshots.directory('base'), '..'), { recursive: true });
      const next = opened.again();
      const { removed, damaged } = await next.recover();
      assert.deepEqual(removed, ['9000']);
      assert.deepEqual(damaged.sort(), ['base', 'c', 'two']);
      await next.settled();
      assert.ok(!existsSync(join(opened.root, '9000')));
      assert.deepEqual(readdirSync(join(opened.root, 'trash')), []);
      assert.equal(next.stat('base'), undefined);
      assert.ok(existsSync(next.directory('c')), 'an active snapshot’s own files are kept');
      assert.deepEqual((await next.recover()).removed, []);
    },
  );

  on(
    'recover makes a lost active snapshot anew, empty on its layers; a lost layer stays lost',
    async (snapshots, opened) => {
      await makeLayer(snapshots, 'base', undefined, { '/a': '1' });
      await makeLayer(snapshots, 'other', undefined, { '/b': '1' });
      for (const key of ['whole', 'half']) {
        await snapshots.prepare(key, 'base');
        await mounted(snapshots.mount(key), (root) => writeFileSync(join(root, 'own'), 'x'));
      }
      rmSync(join(snapshots.directory('whole'), '..'), { recursive: true });
      rmSync(snapshots.directory('half'), { recursive: true });
      rmSync(join(snapshots.directory('other'), '..'), { recursive: true });
      const next = opened.again();
      assert.deepEqual((await next.recover()).damaged.sort(), ['half', 'other', 'whole']);
      for (const key of ['whole', 'half']) {
        assert.equal(statSync(join(next.directory(key), '..')).mode & 0o777, 0o700);
        await mounted(next.mount(key), (root) => {
          assert.deepEqual(readdirSync(root), ['a']);
          writeFileSync(join(root, 'new'), 'x');
        });
      }
      assert.equal(next.stat('other'), undefined);
      assert.deepEqual(await next.recover(), { removed: [], damaged: [] });
      await next.settled();
      assert.deepEqual(readdirSync(join(opened.root, 'trash')), []);
    },
  );

  on(
    'the folder is closed to others, and the root directory keeps its layer’s mode',
    async (snapshots, { root }) => {
      assert.equal(statSync(root).mode & 0o777, 0o710);
      await snapshots.prepare('make', undefined);
      chmodSync(snapshots.directory('make'), 0o1777);
      await snapshots.commit('base', 'make');
      await snapshots.prepare('c', 'base');
      await mounted(snapshots.mount('c'), (path) => assert.equal(statSync(path).mode & 0o7777, 0o1777));
    },
  );

  on('a view shows what an active snapshot has, read-only, also while it is mounted', async (snapshots) => {
    await makeLayer(snapshots, 'layer', undefined, { kept: 'k', gone: 'g' });
    await snapshots.prepare('c', 'layer');
    await mounted(snapshots.mount('c'), async (root) => {
      rmSync(join(root, 'gone'));
      writeFileSync(join(root, 'new'), 'n');
    });
    await mounted(snapshots.view('c'), (path) => {
      assert.deepEqual(readdirSync(path).sort(), ['kept', 'new']);
      assert.throws(() => writeFileSync(join(path, 'more'), ''), /EROFS/);
    });
    await snapshots.prepare('alone', undefined);
    writeFileSync(join(snapshots.directory('alone'), 'f'), 'f');
    await mounted(snapshots.view('alone'), (path) => assert.deepEqual(readdirSync(path), ['f']));
  });

  on('a time without a fraction counts as the same second', async (snapshots) => {
    await makeLayer(snapshots, 'layer', undefined, { same: 'abc', other: 'abc' });
    for (const name of ['same', 'other']) utimesSync(join(snapshots.directory('layer'), name), 1000, 1000);
    await snapshots.prepare('c', 'layer');
    await mounted(snapshots.mount('c'), (root) => {
      for (const name of ['same', 'other']) writeFileSync(join(root, name), 'xyz');
      utimesSync(join(root, 'same'), 1000.5, 1000.5);
      utimesSync(join(root, 'other'), 1001.5, 1001.5);
    });
    assert.deepEqual(await codes(snapshots, 'c'), ['m /other']);
  });

  on('shows changes as docker diff does', async (snapshots) => {
    await makeLayer(snapshots, 'base', undefined, {
      '/bin/ls': 'ls',
      '/bin/true': 'true',
      '/bin/cat': 'cat',
      '/etc/passwd': 'root',
      '/etc/group': 'g',
      '/etc/deep/er/x': 'x',
      '/home/': '',
      '/root/': '',
      '/var/spool/': '',
      '/opt/a/b': 'b',
      '/same/file': 'same',
    });
    await makeLayer(snapshots, 'two', 'base', { '/etc/second': '2', '/opt/c': 'c' });
    await snapshots.prepare('c', 'two');
    assert.deepEqual(await snapshots.changes('c'), []);
    await mounted(snapshots.mount('c'), (root) => {
      const at = (path: string) => join(root, path);
      mkdirSync(at('a/b/c'), { recursive: true });
      writeFileSync(at('a/b/c/f'), 'x');
      rmSync(at('bin/true'));
      rmSync(at('bin/cat'));
      mkdirSync(at('bin/cat'));
      writeFileSync(at('bin/cat/x'), '');
      chmodSync(at('bin/ls'), statSync(at('bin/ls')).mode & 0o7777);
      rmSync(at('etc'), { recursive: true });
      mkdirSync(at('etc/deep'), { recursive: true });
      writeFileSync(at('etc/new'), '');
      writeFileSync(at('etc/passwd'), 'toor');
      chmodSync(at('root'), 0o700);
      rmSync(at('home'), { recursive: true });
      writeFileSync(at('home'), '');
      writeFileSync(at('var/f'), 'hi');
      rmSync(at('opt'), { recursive: true });
      symlinkSync('/nowhere', at('lnk'));
      writeFileSync(at('gone'), '');
      rmSync(at('gone'));
    });
    assert.deepEqual(await codes(snapshots, 'c'), [
      'a /a',
      'a /a/b',
      'a /a/b/c',
      'a /a/b/c/f',
      'm /bin',
      'm /bin/cat',
      'a /bin/cat/x',
      'd /bin/true',
      'm /etc',
      'm /etc/deep',
      'd /etc/deep/er',
      'd /etc/group',
      'a /etc/new',
      'm /etc/passwd',
      'd /etc/second',
      'm /home',
      'a /lnk',
      'd /opt',
      'm /root',
      'm /var',
      'a /var/f',
    ]);
  });

  on('everything is new without a parent, and links are not followed', async (snapshots) => {
    await snapshots.prepare('c', undefined);
    const directory = snapshots.directory('c');
    symlinkSync('/', join(directory, 'out'));
    mkdirSync(join(directory, 'd'));
    assert.deepEqual(await codes(snapshots, 'c'), ['a /d', 'a /out']);
    assert.ok((await snapshots.usage('c')).inodes < 5);
  });

  on('usage counts blocks and counts hard links once', async (snapshots) => {
    await snapshots.prepare('c', undefined);
    const directory = snapshots.directory('c');
    const empty = await snapshots.usage('c');
    assert.equal(empty.inodes, 1);
    writeFileSync(join(directory, 'a'), Buffer.alloc(1 << 20, 1));
    linkSync(join(directory, 'a'), join(directory, 'b'));
    mkdirSync(join(directory, 'd'));
    linkSync(join(directory, 'a'), join(directory, 'd', 'c'));
    const { bytes, inodes } = await snapshots.usage('c');
    assert.equal(inodes, 3);
    assert.ok(bytes - empty.bytes >= 1 << 20 && bytes - empty.bytes < (1 << 20) + 65_536, String(bytes));
  });
}
