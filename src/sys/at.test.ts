import assert from 'node:assert/strict';
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { isKind } from '../base/index.ts';
import * as at from './at.ts';
import { isErrno } from './errno.ts';
import { type Fd, O } from './fd.ts';
import { openat2 } from './openat2.ts';

let base: string;
let dir: Fd;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-at-'));
  dir = openat2('/', base, { flags: O.RDONLY | O.DIRECTORY });
});
afterEach(() => {
  dir.close();
  rmSync(base, { recursive: true, force: true });
});

it('makes directories, links, nodes and hard links', () => {
  at.mkdirat(dir, 'sub', 0o700);
  at.symlinkat('sub/nowhere', dir, 'link');
  at.mknodat(dir, 'null', 0o020600, 1, 3);
  at.mknodat(dir, 'large', 0o060600, 259, 70000);
  writeFileSync(join(base, 'file'), 'x');
  at.linkat(dir, 'file', dir, 'second');
  at.linkat(dir, 'link', dir, 'link2');
  assert.equal(statSync(join(base, 'sub')).mode & 0o777, 0o700);
  assert.equal(readlinkSync(join(base, 'link2')), 'sub/nowhere');
  assert.equal(at.readlinkat(dir, 'link'), 'sub/nowhere');
  const [node, large, file] = ['null', 'large', 'second'].map((name) => at.fstatat(dir, name));
  assert.deepEqual([node?.rdevMajor, node?.rdevMinor], [1, 3]);
  assert.deepEqual([large?.rdevMajor, large?.rdevMinor], [259, 70000]);
  assert.equal(file?.nlink, 2);
});

it('links an open file that has no name any more by its descriptor', () => {
  using file = openat2(dir, 'tmp', { flags: O.RDWR | O.CREAT, mode: 0o600 });
  writeFileSync(file.fd, 'kept');
  at.linkat(file, '', dir, 'named');
  assert.equal(readFileSync(join(base, 'named'), 'utf8'), 'kept');
});

it('does not follow a link in the last place', () => {
  writeFileSync(join(base, 'target'), '');
  at.symlinkat('target', dir, 'link');
  const before = statSync(join(base, 'target'), { bigint: true });
  at.fchownat(dir, 'link', 7, 8);
  at.utimensat(dir, 'link', { atimeNs: 1_000_000_001n, mtimeNs: -1n });
  assert.throws(
    () => at.fchmodat(dir, 'link', 0o777),
    (e) => isErrno(e, 'ENOTSUP', 'EOPNOTSUPP'),
  );
  const link = at.fstatat(dir, 'link');
  assert.deepEqual([link.uid, link.gid, link.mtimeNs, link.atimeNs], [7, 8, -1n, 1_000_000_001n]);
  const after = statSync(join(base, 'target'), { bigint: true });
  assert.deepEqual([after.uid, after.mode, after.mtimeNs], [before.uid, before.mode, before.mtimeNs]);
});

it('changes a descriptor itself by the empty name', () => {
  using file = openat2(dir, 'file', { flags: O.RDWR | O.CREAT, mode: 0o600 });
  at.fchownat(file, '', 5, 6);
  at.utimensat(file, '', { atimeNs: 5n, mtimeNs: 1_700_000_000_123_456_789n });
  at.fchmodat(dir, 'file', 0o4755);
  const stat = at.fstatat(file, '');
  assert.deepEqual(
    [stat.uid, stat.gid, stat.mtimeNs, stat.mode & 0o7777],
    [5, 6, 1_700_000_000_123_456_789n, 0o4755],
  );
  assert.equal(stat.ino, BigInt(lstatSync(join(base, 'file')).ino));
});

it('renames, swaps and refuses to replace', () => {
  writeFileSync(join(base, 'a'), 'A');
  writeFileSync(join(base, 'b'), 'B');
  at.renameat2(dir, 'a', dir, 'b', { exchange: true });
  assert.equal(readFileSync(join(base, 'a'), 'utf8'), 'B');
  assert.throws(
    () => at.renameat2(dir, 'a', dir, 'b', { noReplace: true }),
    (e) => isKind(e, 'conflict') && isErrno(e, 'EEXIST'),
  );
  at.renameat2(dir, 'a', dir, 'b');
  assert.equal(readFileSync(join(base, 'b'), 'utf8'), 'B');
});

it('removes files and directories, each by its own way', () => {
  at.mkdirat(dir, 'sub', 0o755);
  assert.throws(() => at.unlinkat(dir, 'sub'));
  at.unlinkat(dir, 'sub', { directory: true });
  assert.throws(
    () => at.unlinkat(dir, 'sub'),
    (e) => isKind(e, 'not-found'),
  );
});

it('refuses a NUL, which would name another file, and a closed descriptor', () => {
  writeFileSync(join(base, 'victim'), '');
  assert.throws(
    () => at.unlinkat(dir, 'victim\0.txt'),
    (e) => isKind(e, 'invalid'),
  );
  dir.close();
  assert.throws(
    () => at.fstatat(dir, 'victim'),
    (e) => isErrno(e, 'EBADF'),
  );
});
