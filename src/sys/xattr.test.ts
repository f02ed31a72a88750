import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { isErrno } from './errno.ts';
import { O } from './fd.ts';
import { openat2 } from './openat2.ts';
import * as xattr from './xattr.ts';

let base: string;
let file: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-xattr-'));
  file = join(base, 'file');
  writeFileSync(file, '');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

it('sets, reads, lists and removes by path', () => {
  assert.equal(xattr.lgetxattr(file, 'trusted.a'), undefined);
  xattr.lsetxattr(file, 'trusted.a', Buffer.from([0, 1, 255]));
  xattr.lsetxattr(file, 'trusted.empty', Buffer.alloc(0));
  assert.deepEqual(xattr.lgetxattr(file, 'trusted.a'), Buffer.from([0, 1, 255]));
  assert.equal(xattr.lgetxattr(file, 'trusted.empty')?.length, 0);
  assert.deepEqual(xattr.llistxattr(file).sort(), ['trusted.a', 'trusted.empty']);
  xattr.lremovexattr(file, 'trusted.a');
  assert.deepEqual(xattr.llistxattr(file), ['trusted.empty']);
  assert.throws(
    () => xattr.lremovexattr(file, 'trusted.a'),
    (e) => isErrno(e, 'ENODATA'),
  );
});

it('reads values and lists longer than the first guess', () => {
  const value = Buffer.alloc(2000, 7);
  xattr.lsetxattr(file, 'trusted.long', value);
  for (let at = 0; at < 20; at++) xattr.lsetxattr(file, `trusted.name-number-${at}`, Buffer.from('v'));
  assert.deepEqual(xattr.lgetxattr(file, 'trusted.long'), value);
  assert.equal(xattr.llistxattr(file).length, 21);
});

it('takes a link itself, not its target', () => {
  const link = join(base, 'link');
  symlinkSync('file', link);
  xattr.lsetxattr(link, 'trusted.link', Buffer.from('l'));
  assert.deepEqual(xattr.llistxattr(file), []);
  assert.equal(xattr.lgetxattr(link, 'trusted.link')?.toString(), 'l');
});

it('works on descriptors, O_PATH ones too', () => {
  for (const flags of [O.RDONLY, O.PATH]) {
    using fd = openat2('/', file, { flags });
    xattr.fsetxattr(fd, 'trusted.fd', Buffer.from(`by ${flags}`));
    assert.equal(xattr.fgetxattr(fd, 'trusted.fd')?.toString(), `by ${flags}`);
    assert.deepEqual(xattr.flistxattr(fd), ['trusted.fd']);
    xattr.fremovexattr(fd.fd, 'trusted.fd');
    assert.deepEqual(xattr.flistxattr(fd), []);
  }
});

it('has none where the file system knows none, and tells of missing files', () => {
  assert.equal(xattr.lgetxattr('/proc/self/status', 'trusted.x'), undefined);
  assert.throws(
    () => xattr.lgetxattr(join(base, 'none'), 'trusted.x'),
    (e) => isErrno(e, 'ENOENT'),
  );
});
