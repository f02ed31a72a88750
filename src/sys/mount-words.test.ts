import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind } from '../base/index.ts';
import { isErrno } from './errno.ts';
import { O } from './fd.ts';
import { mount, statfs, syncfs, umount, umountIfMounted } from './mount.ts';
import { type MountInfo, mountInfo, parseMountInfo } from './mount-info.ts';
import { openat2 } from './openat2.ts';

let base: string;
let target: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-words-'));
  target = join(base, 'target');
  mkdirSync(target);
  // A mount of the test's own below, whose propagation nobody shares.
  mount({ source: 'tmpfs', target: base, type: 'tmpfs', flags: ['private'] });
  mkdirSync(target);
});
afterEach(() => {
  const below = mountInfo().filter(({ mountPoint }) => `${mountPoint}/`.startsWith(`${base}/`));
  for (const { mountPoint } of below.reverse()) umountIfMounted(mountPoint, { detach: true });
  rmSync(base, { recursive: true, force: true });
});

const at = (mountPoint: string): MountInfo | undefined =>
  mountInfo().findLast((one) => one.mountPoint === mountPoint);

describe('words of mount(8)', () => {
  /** What the kernel shows for a word, in the options of the mount or of the file system. */
  const shown: [word: string, option: string, where: 'options' | 'superOptions'][] = [
    ['ro', 'ro', 'options'],
    ['nosuid', 'nosuid', 'options'],
    ['nodev', 'nodev', 'options'],
    ['noexec', 'noexec', 'options'],
    ['noatime', 'noatime', 'options'],
    ['nodiratime', 'nodiratime', 'options'],
    ['relatime', 'relatime', 'options'],
    ['nosymfollow', 'nosymfollow', 'options'],
    ['sync', 'sync', 'superOptions'],
    ['dirsync', 'dirsync', 'superOptions'],
  ];
  const opposites: Record<string, string> = {
    ro: 'rw',
    nosuid: 'suid',
    nodev: 'dev',
    noexec: 'exec',
    noatime: 'atime',
    nodiratime: 'diratime',
    nosymfollow: 'symfollow',
    sync: 'async',
    relatime: 'norelatime',
  };
  for (const [word, option, where] of shown) {
    it(`${word} shows as ${option}, and its opposite takes it back`, () => {
      mount({ source: 'tmpfs', target, type: 'tmpfs', flags: [word] });
      assert.ok(at(target)?.[where].includes(option), at(target)?.[where].join());
      umount(target);
      const opposite = opposites[word];
      if (!opposite || word === 'relatime') return;
      mount({ source: 'tmpfs', target, type: 'tmpfs', flags: [word, opposite] });
      assert.ok(!at(target)?.[where].includes(option), at(target)?.[where].join());
    });
  }

  it('strictatime leaves no mark of a time saved', () => {
    mount({ source: 'tmpfs', target, type: 'tmpfs', flags: ['strictatime'] });
    assert.deepEqual(
      at(target)?.options.filter((word) => word.endsWith('atime')),
      [],
    );
  });

  for (const [word, optional] of [
    ['private', []],
    ['shared', ['shared:N']],
    ['unbindable', ['unbindable']],
    ['slave', []],
  ] as const) {
    it(`${word} makes that propagation, and r${word} of all below`, () => {
      mount({ source: 'tmpfs', target, type: 'tmpfs' });
      mkdirSync(join(target, 'inner'));
      mount({ source: 'tmpfs', target: join(target, 'inner'), type: 'tmpfs' });
      const marks = (path: string) => at(path)?.optional.map((mark) => mark.replace(/\d+/, 'N'));
      mount({ source: 'none', target, flags: [word] });
      assert.deepEqual(marks(target), optional);
      assert.deepEqual(marks(join(target, 'inner')), []);
      mount({ source: 'none', target, flags: [`r${word}`] });
      assert.deepEqual(marks(join(target, 'inner')), optional);
    });
  }

  it('of a slave name their master', () => {
    mount({ source: 'tmpfs', target, type: 'tmpfs', flags: ['shared'] });
    const group = at(target)?.optional[0]?.split(':')[1];
    const copy = join(base, 'copy');
    mkdirSync(copy);
    mount({ source: target, target: copy, flags: ['bind', 'slave'] });
    assert.deepEqual(at(copy)?.optional, [`master:${group}`]);
  });

  it('that are no words of it are refused, whatever objects have of their own', () => {
    for (const word of [
      '',
      'RO',
      'ro,bind',
      'size=1m',
      'constructor',
      '__proto__',
      'toString',
      'read-only',
    ]) {
      assert.throws(
        () => mount({ source: 'tmpfs', target, type: 'tmpfs', flags: [word] }),
        (e) => isKind(e, 'invalid'),
        word,
      );
    }
    assert.equal(at(target), undefined);
  });
});

describe('binds', () => {
  it('carry what is mounted below with rbind only', () => {
    const source = join(base, 'source');
    mkdirSync(join(source, 'inner'), { recursive: true });
    mount({ source: 'tmpfs', target: join(source, 'inner'), type: 'tmpfs' });
    writeFileSync(join(source, 'inner/file'), 'x');
    mount({ source, target, flags: ['bind'] });
    assert.equal(at(join(target, 'inner')), undefined);
    umount(target);
    mount({ source, target, flags: ['rbind', 'rprivate'] });
    assert.equal(readFileSync(join(target, 'inner/file'), 'utf8'), 'x');
    assert.deepEqual(at(join(target, 'inner'))?.optional, []);
  });

  it('of one file show that file, with their own restrictions', () => {
    const [file, place] = [join(base, 'file'), join(base, 'place')];
    for (const path of [file, place]) writeFileSync(path, path);
    mount({ source: file, target: place, flags: ['bind', 'ro', 'nosuid', 'nodev', 'noexec'] });
    assert.equal(readFileSync(place, 'utf8'), file);
    assert.throws(() => writeFileSync(place, ''), /EROFS/);
    writeFileSync(file, 'changed');
    assert.equal(readFileSync(place, 'utf8'), 'changed');
    const options = at(place)?.options ?? [];
    assert.deepEqual(
      ['ro', 'nosuid', 'nodev', 'noexec'].filter((word) => !options.includes(word)),
      [],
    );
  });

  it('that fail at the second step leave no mount behind', () => {
    writeFileSync(join(base, 'file'), '');
    assert.throws(() => mount({ source: join(base, 'file'), target, flags: ['bind', 'ro'] }));
    assert.throws(() => mount({ source: 'x', target, type: 'tmpfs', data: 'nonsense=1' }));
    assert.throws(
      () => mount({ source: 'x', target, type: 'nosuchfs' }),
      (e) => isErrno(e, 'ENODEV'),
    );
    assert.equal(at(target), undefined);
  });
});

describe('unmounting', () => {
  it('a busy one is a conflict until it is detached; open files stay good', () => {
    mount({ source: 'tmpfs', target, type: 'tmpfs' });
    writeFileSync(join(target, 'file'), 'held');
    using held = openat2(target, 'file', { flags: O.RDONLY });
    assert.throws(
      () => umount(target),
      (e) => isKind(e, 'conflict') && isErrno(e, 'EBUSY'),
    );
    assert.equal(umountIfMounted(target, { detach: true }), true);
    assert.equal(readFileSync(held.fd, 'utf8'), 'held');
    assert.equal(umountIfMounted(target), false);
    assert.equal(umountIfMounted(join(base, 'none')), false);
    assert.throws(
      () => umount(target),
      (e) => isErrno(e, 'EINVAL'),
    );
  });

  it('several on one place go one by one, the last first', () => {
    for (const size of ['16k', '32k']) mount({ source: size, target, type: 'tmpfs', data: `size=${size}` });
    assert.equal(at(target)?.source, '32k');
    umount(target);
    assert.equal(at(target)?.source, '16k');
    symlinkSync(target, join(base, 'link'));
    assert.throws(() => umount(join(base, 'link')));
    assert.equal(at(target)?.source, '16k');
  });
});

describe('sizes and syncs', () => {
  it('a small file system says how small it is, and what is used of it', () => {
    mount({ source: 'tmpfs', target, type: 'tmpfs', data: 'size=64k,nr_inodes=10' });
    const empty = statfs(target);
    assert.equal(empty.blocks * empty.blockSize, 65536);
    assert.equal(empty.files, 10);
    writeFileSync(join(target, 'file'), Buffer.alloc(empty.blockSize + 1));
    const used = statfs(join(target, 'file'));
    assert.deepEqual([empty.bfree - used.bfree, empty.ffree - used.ffree], [2, 1]);
    assert.throws(() => statfs(join(target, 'none')), { kind: 'not-found' });
  });

  it('a mount says what it forbids, also by a link to it, and whatever its filesystem allows elsewhere', () => {
    mount({ source: 'tmpfs', target, type: 'tmpfs', flags: ['nodev', 'noexec', 'nosuid'] });
    symlinkSync(target, join(base, 'link'));
    assert.deepEqual(statfs(join(base, 'link')).restrictions, ['nosuid', 'nodev', 'noexec']);
    mount({ source: 'tmpfs', target, type: 'tmpfs', flags: ['remount', 'bind', 'ro'] });
    assert.deepEqual(statfs(target).restrictions, ['ro']);
    umount(target);
    assert.deepEqual(statfs('/proc/self/ns').restrictions, statfs('/proc').restrictions);
  });

  it('a sync takes a file or a directory, many at once, and leaves no descriptor', async () => {
    writeFileSync(join(base, 'file'), 'x');
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    await Promise.all([base, join(base, 'file'), base, base].map((path) => syncfs(path)));
    await assert.rejects(syncfs(join(base, 'none')), { kind: 'not-found' });
    assert.equal(open(), before);
  });
});

it('names with every awkward character come back from the kernel’s list', () => {
  for (const name of ['a b', 'tab\there', 'line\nbreak', 'back\\slash', '#hash', 'ümläut', '\\040', '- -']) {
    const path = join(base, name);
    mkdirSync(path);
    mount({ source: name, target: path, type: 'tmpfs' });
    const found = at(path);
    assert.deepEqual([found?.mountPoint, found?.fsType], [path, 'tmpfs'], name);
    assert.equal(found?.source, name);
    umount(path);
  }
  assert.deepEqual(parseMountInfo('1 2 0:1 / /x rw\n\nnonsense\n1 2 0:1 / /x rw - tmpfs\n'), []);
});
