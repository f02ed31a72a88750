import assert from 'node:assert/strict';
import {
  chownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lgetxattr, lsetxattr, mkfifo } from '../../sys/index.ts';
import { copyUp, finishCopyUp } from './copy-up.ts';
import { openSubpath } from './subpath.ts';

/** An image root, a volume and a canary outside both, below one temporary directory. */
function openTrees() {
  const root = mkdtempSync(join(tmpdir(), 'wharf-copy-up-'));
  const paths = { image: join(root, 'image'), volume: join(root, 'volume'), canary: join(root, 'canary') };
  for (const path of Object.values(paths)) mkdirSync(path);
  writeFileSync(join(paths.canary, 'secret'), 'host');
  return { ...paths, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

test('everything of a directory arrives: owner, mode, times, attributes, links', async () => {
  using trees = openTrees();
  const data = join(trees.image, 'data');
  mkdirSync(join(data, 'sub'), { recursive: true, mode: 0o750 });
  writeFileSync(join(data, 'sub', 'file'), 'x'.repeat(3_000_000));
  chownSync(join(data, 'sub', 'file'), 1000, 1001);
  lsetxattr(join(data, 'sub', 'file'), 'trusted.note', Buffer.from('kept'));
  writeFileSync(join(data, 'suid'), '', { mode: 0o755 });
  chownSync(join(data, 'suid'), 5, 5);
  linkSync(join(data, 'sub', 'file'), join(data, 'hard'));
  symlinkSync('/etc/passwd', join(data, 'soft'));
  lutimesSync(join(data, 'soft'), 1000, 2000);
  mkfifo(join(data, 'fifo'), 0o600);
  chownSync(data, 33, 44);
  utimesSync(data, 1_000_000, 2_000_000);
  assert.equal(await copyUp(trees.image, '/data', trees.volume), true);
  const top = lstatSync(trees.volume);
  assert.deepEqual([top.uid, top.gid, top.mtimeMs], [33, 44, 2_000_000_000]);
  const file = lstatSync(join(trees.volume, 'sub', 'file'));
  assert.deepEqual([file.uid, file.gid, file.size, file.nlink], [1000, 1001, 3_000_000, 2]);
  assert.equal(lstatSync(join(trees.volume, 'hard')).ino, file.ino);
  assert.equal(String(lgetxattr(join(trees.volume, 'sub', 'file'), 'trusted.note')), 'kept');
  assert.equal(readlinkSync(join(trees.volume, 'soft')), '/etc/passwd');
  assert.equal(lstatSync(join(trees.volume, 'soft')).mtimeMs, 2_000_000);
  assert.ok(lstatSync(join(trees.volume, 'fifo')).isFIFO());
  assert.equal(lstatSync(join(trees.volume, 'sub')).mode & 0o777, lstatSync(join(data, 'sub')).mode & 0o777);
});

test('a volume with files, a missing directory and a plain file change nothing', async () => {
  using trees = openTrees();
  mkdirSync(join(trees.image, 'data'));
  writeFileSync(join(trees.image, 'data', 'f'), 'image');
  writeFileSync(join(trees.image, 'plain'), 'x');
  assert.equal(await copyUp(trees.image, '/missing', trees.volume), false);
  assert.equal(await copyUp(trees.image, '/plain', trees.volume), false);
  assert.deepEqual(readdirSync(trees.volume), []);
  writeFileSync(join(trees.volume, 'f'), 'mine');
  assert.equal(await copyUp(trees.image, '/data', trees.volume), false);
  assert.equal(readFileSync(join(trees.volume, 'f'), 'utf8'), 'mine');
});

test('an image can not name the host: dot-dot and links stay in its root', async () => {
  using trees = openTrees();
  symlinkSync(trees.canary, join(trees.image, 'absolute'));
  symlinkSync('../canary', join(trees.image, 'relative'));
  symlinkSync('/', join(trees.image, 'up'));
  mkdirSync(join(trees.image, 'data'));
  symlinkSync(trees.canary, join(trees.image, 'data', 'below'));
  for (const path of ['/absolute', '/relative', '/../canary', '/data/../../canary', `/up${trees.canary}`]) {
    assert.equal(await copyUp(trees.image, path, trees.volume), false, path);
    assert.deepEqual(readdirSync(trees.volume), [], path);
  }
  assert.equal(await copyUp(trees.image, '/data', trees.volume), true);
  assert.ok(lstatSync(join(trees.volume, 'below')).isSymbolicLink());
  assert.deepEqual(readdirSync(trees.canary), ['secret']);
});

test('a subpath is opened beneath the volume; links are followed inside it only', () => {
  using trees = openTrees();
  mkdirSync(join(trees.volume, 'sub', 'deep'), { recursive: true });
  symlinkSync(trees.canary, join(trees.volume, 'link'));
  symlinkSync('sub', join(trees.volume, 'inner'));
  using opened = openSubpath(trees.volume, 'sub/deep');
  assert.equal(readlinkSync(`/proc/self/fd/${opened.fd}`), join(trees.volume, 'sub', 'deep'));
  using inner = openSubpath(trees.volume, 'inner/deep');
  assert.equal(readlinkSync(`/proc/self/fd/${inner.fd}`), join(trees.volume, 'sub', 'deep'));
  for (const bad of ['link', 'link/secret', '../canary', 'missing', '/etc']) {
    assert.throws(() => openSubpath(trees.volume, bad), { kind: 'invalid' }, bad);
  }
});

test('a subpath says why it is not there, as the reference', () => {
  using trees = openTrees();
  mkdirSync(join(trees.volume, 'sub'));
  writeFileSync(join(trees.volume, 'sub', 'file'), '');
  symlinkSync(trees.canary, join(trees.volume, 'out'));
  const at = trees.volume;
  const texts = {
    none: `cannot access path ${at}/none: lstat ${at}/none: no such file or directory`,
    out: `path concatenation escapes the base directory, base: ${at}, subpath: out`,
    'sub/file/x': `error while resolving symlinks in combined path "${at}/sub/file/x": not a directory`,
  };
  for (const [subpath, message] of Object.entries(texts)) {
    assert.throws(() => openSubpath(at, subpath), { kind: 'invalid', message });
  }
});

test('a copy that was cut off while it was made is dropped, and made anew', async () => {
  using trees = openTrees();
  mkdirSync(join(trees.image, 'data'));
  writeFileSync(join(trees.image, 'data', 'file'), 'whole');
  mkdirSync(join(trees.volume, '.wharf-filling', 'sub'), { recursive: true });
  writeFileSync(join(trees.volume, '.wharf-filling', 'sub', 'half'), 'ha');
  assert.equal(await copyUp(trees.image, '/data', trees.volume), true);
  assert.deepEqual(readdirSync(trees.volume), ['file']);
});

test('a copy that was whole, but not yet in its place, is put there, beside what others wrote', () => {
  using trees = openTrees();
  const filled = join(trees.volume, '.wharf-filled');
  mkdirSync(join(filled, 'sub'), { recursive: true, mode: 0o750 });
  writeFileSync(join(filled, 'sub', 'file'), 'image');
  writeFileSync(join(filled, 'taken'), 'image');
  chownSync(filled, 33, 44);
  writeFileSync(join(trees.volume, 'taken'), 'theirs');
  finishCopyUp(trees.volume);
  assert.deepEqual(readdirSync(trees.volume).sort(), ['sub', 'taken']);
  assert.equal(readFileSync(join(trees.volume, 'taken'), 'utf8'), 'theirs');
  assert.equal(readFileSync(join(trees.volume, 'sub', 'file'), 'utf8'), 'image');
  assert.equal(lstatSync(trees.volume).uid, 33);
});

test('what a container puts in the place of a half copy leads nowhere', () => {
  using trees = openTrees();
  symlinkSync(trees.canary, join(trees.volume, '.wharf-filling'));
  symlinkSync(trees.canary, join(trees.volume, '.wharf-filled'));
  finishCopyUp(trees.volume);
  assert.deepEqual(readdirSync(trees.canary), ['secret']);
  mkdirSync(join(trees.volume, 'real'));
});
