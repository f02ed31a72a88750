import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ErrorKind, errnoCode, isKind } from '../base/index.ts';
import * as at from './at.ts';
import { type Fd, O } from './fd.ts';
import { mkdirAllInRoot } from './in-root.ts';
import { mount, umountIfMounted } from './mount.ts';
import { openat2, openInRoot, RESOLVE } from './openat2.ts';
import { mkfifo } from './system.ts';
import { lsetxattr } from './xattr.ts';

let base: string;
let dir: Fd;
let readOnly: Fd;
let full: Fd;

before(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-at-errors-'));
  for (const name of ['home', 'ro', 'full']) mkdirSync(join(base, name));
  mount({ source: 'tmpfs', target: join(base, 'ro'), type: 'tmpfs' });
  writeFileSync(join(base, 'ro/file'), '');
  mount({ source: 'tmpfs', target: join(base, 'ro'), flags: ['remount', 'ro'] });
  mount({ source: 'tmpfs', target: join(base, 'full'), type: 'tmpfs', data: 'size=16k,nr_inodes=3' });
  writeFileSync(join(base, 'full/file'), '');
  writeFileSync(join(base, 'full/second'), '');
  const home = join(base, 'home');
  mkdirSync(join(home, 'dir/inner'), { recursive: true });
  writeFileSync(join(home, 'file'), 'x');
  symlinkSync('loop', join(home, 'loop'));
  symlinkSync('dir', join(home, 'link'));
  const open = (name: string) => openat2(base, name, { flags: O.RDONLY | O.DIRECTORY });
  [dir, readOnly, full] = ['home', 'ro', 'full'].map(open) as [Fd, Fd, Fd];
});
after(() => {
  for (const fd of [dir, readOnly, full]) fd?.close();
  for (const name of ['ro', 'full']) umountIfMounted(join(base, name), { detach: true });
  rmSync(base, { recursive: true, force: true });
});

/** What must be refused: the work, the errno, the kind, and the words of the message. */
type Refusal = [what: string, work: () => unknown, code: string, kind: ErrorKind];

const times = { atimeNs: 0n, mtimeNs: 0n };
const refusals: Refusal[] = [
  ['mkdirat of a taken name', () => at.mkdirat(dir, 'file', 0o755), 'EEXIST', 'conflict'],
  ['mkdirat of a link’s name', () => at.mkdirat(dir, 'loop', 0o755), 'EEXIST', 'conflict'],
  ['mkdirat below nothing', () => at.mkdirat(dir, 'none/x', 0o755), 'ENOENT', 'not-found'],
  ['mkdirat below a file', () => at.mkdirat(dir, 'file/x', 0o755), 'ENOTDIR', 'internal'],
  ['mkdirat without a name', () => at.mkdirat(dir, '', 0o755), 'ENOENT', 'not-found'],
  ['mkdirat of a long name', () => at.mkdirat(dir, 'x'.repeat(256), 0o755), 'ENAMETOOLONG', 'internal'],
  ['mkdirat where nothing may be written', () => at.mkdirat(readOnly, 'x', 0o755), 'EROFS', 'internal'],
  ['mkdirat where no inode is left', () => at.mkdirat(full, 'x', 0o755), 'ENOSPC', 'exhausted'],
  ['mknodat of a taken name', () => at.mknodat(dir, 'dir', 0o010600), 'EEXIST', 'conflict'],
  ['mknodat where no inode is left', () => at.mknodat(full, 'x', 0o010600), 'ENOSPC', 'exhausted'],
  ['symlinkat without a text', () => at.symlinkat('', dir, 'empty'), 'ENOENT', 'not-found'],
  ['symlinkat of a taken name', () => at.symlinkat('x', dir, 'link'), 'EEXIST', 'conflict'],
  ['linkat of a directory', () => at.linkat(dir, 'dir', dir, 'second'), 'EPERM', 'forbidden'],
  ['linkat of nothing', () => at.linkat(dir, 'none', dir, 'second'), 'ENOENT', 'not-found'],
  ['linkat to another file system', () => at.linkat(dir, 'file', full, 'x'), 'EXDEV', 'internal'],
  ['linkat onto a taken name', () => at.linkat(dir, 'file', dir, 'link'), 'EEXIST', 'conflict'],
  ['unlinkat of a directory as a file', () => at.unlinkat(dir, 'dir'), 'EISDIR', 'internal'],
  [
    'unlinkat of a file as a directory',
    () => at.unlinkat(dir, 'file', { directory: true }),
    'ENOTDIR',
    'internal',
  ],
  [
    'unlinkat of a link as a directory',
    () => at.unlinkat(dir, 'link', { directory: true }),
    'ENOTDIR',
    'internal',
  ],
  [
    'unlinkat of a full directory',
    () => at.unlinkat(dir, 'dir', { directory: true }),
    'ENOTEMPTY',
    'internal',
  ],
  ['unlinkat where nothing may be written', () => at.unlinkat(readOnly, 'file'), 'EROFS', 'internal'],
  ['renameat2 of nothing', () => at.renameat2(dir, 'none', dir, 'x'), 'ENOENT', 'not-found'],
  ['renameat2 into itself', () => at.renameat2(dir, 'dir', dir, 'dir/inner/x'), 'EINVAL', 'internal'],
  [
    'renameat2 over a full directory',
    () => at.renameat2(dir, 'dir/inner', dir, 'dir'),
    'ENOTEMPTY',
    'internal',
  ],
  ['renameat2 to another file system', () => at.renameat2(dir, 'file', full, 'x'), 'EXDEV', 'internal'],
  [
    'renameat2 exchanging with nothing',
    () => at.renameat2(dir, 'file', dir, 'no', { exchange: true }),
    'ENOENT',
    'not-found',
  ],
  ['fchownat of nothing', () => at.fchownat(dir, 'none', 1, 1), 'ENOENT', 'not-found'],
  ['fchmodat of nothing', () => at.fchmodat(dir, 'none', 0o700), 'ENOENT', 'not-found'],
  ['fchmodat where nothing may be written', () => at.fchmodat(readOnly, 'file', 0o700), 'EROFS', 'internal'],
  ['utimensat of nothing', () => at.utimensat(dir, 'none', times), 'ENOENT', 'not-found'],
  ['readlinkat of a file', () => at.readlinkat(dir, 'file'), 'EINVAL', 'internal'],
  ['readlinkat of nothing', () => at.readlinkat(dir, 'none'), 'ENOENT', 'not-found'],
  ['fstatat through a loop', () => at.fstatat(dir, 'loop/x'), 'ELOOP', 'internal'],
  ['fstatat below a file', () => at.fstatat(dir, 'file/x'), 'ENOTDIR', 'internal'],
  ['openat2 of a loop', () => openInRoot(dir, 'loop', O.RDONLY), 'ELOOP', 'internal'],
  [
    'openat2 of a link, not following',
    () => openInRoot(dir, 'link', O.RDONLY | O.NOFOLLOW),
    'ELOOP',
    'internal',
  ],
  ['openat2 of a directory for writing', () => openInRoot(dir, 'dir', O.WRONLY), 'EISDIR', 'internal'],
  [
    'openat2 of a taken name',
    () => openInRoot(dir, 'file', O.WRONLY | O.CREAT | O.EXCL, 0o600),
    'EEXIST',
    'conflict',
  ],
  [
    'openat2 upward, beneath',
    () => openat2(dir, '..', { flags: O.PATH, resolve: RESOLVE.BENEATH }),
    'EXDEV',
    'internal',
  ],
  [
    'openat2 absolute, beneath',
    () => openat2(dir, '/', { flags: O.PATH, resolve: RESOLVE.BENEATH }),
    'EXDEV',
    'internal',
  ],
  [
    'openat2 through a link, without any',
    () => openat2(dir, 'link/inner', { flags: O.PATH, resolve: RESOLVE.NO_SYMLINKS }),
    'ELOOP',
    'internal',
  ],
  [
    'openat2 over a mount, staying',
    () => openat2(base, 'ro', { flags: O.PATH, resolve: RESOLVE.NO_XDEV }),
    'EXDEV',
    'internal',
  ],
  [
    'openat2 with unknown ways',
    () => openat2(dir, 'file', { flags: O.PATH, resolve: 1 << 20 }),
    'EINVAL',
    'internal',
  ],
  ['mkdirAllInRoot where no inode is left', () => mkdirAllInRoot(full, 'x/y', 0o755), 'ENOSPC', 'exhausted'],
  [
    'mkdirAllInRoot where nothing may be written',
    () => mkdirAllInRoot(readOnly, 'x/y', 0o755),
    'EROFS',
    'internal',
  ],
  ['mkfifo where nothing may be written', () => mkfifo(join(base, 'ro/fifo'), 0o600), 'EROFS', 'internal'],
  [
    'lsetxattr of a forbidden namespace',
    () => lsetxattr(join(base, 'home/file'), 'nosuch.name', Buffer.from('x')),
    'ENOTSUP',
    'internal',
  ],
  [
    'lsetxattr of a value too long',
    () => lsetxattr(join(base, 'home/file'), 'user.x', Buffer.alloc(70_000)),
    'E2BIG',
    'internal',
  ],
];

describe('refusals carry call, name, errno and kind', () => {
  for (const [what, work, code, kind] of refusals) {
    it(`${what}: ${code}`, () => {
      let thrown: unknown;
      try {
        work();
      } catch (error) {
        thrown = error;
      }
      assert.ok(isKind(thrown, kind), String(thrown));
      const { message, cause } = thrown as Error;
      assert.equal(errnoCode(cause), code);
      assert.match(message, /^[a-z0-9]+ .*: .+ \(E[A-Z0-9]+\)$/);
    });
  }

  it('and left everything as it was', () => {
    assert.equal(readFileSync(join(base, 'home/file'), 'utf8'), 'x');
    assert.ok(existsSync(join(base, 'home/dir/inner')));
    assert.ok(!existsSync(join(base, 'full/x')));
  });
});

describe('a full file system', () => {
  it('is told to the writer, and takes the write again when there is room', () => {
    using file = openat2(full, 'file', { flags: O.WRONLY | O.TRUNC });
    const block = Buffer.alloc(4096, 1);
    assert.throws(() => {
      for (;;) writeSync(file.fd, block);
    }, /ENOSPC/);
    at.unlinkat(full, 'file');
    assert.equal(at.fstatat(file, '').nlink, 0);
    const create = () => openat2(full, 'again', { flags: O.WRONLY | O.CREAT | O.EXCL, mode: 0o600 });
    // A file without a name takes its room until it is closed.
    assert.throws(create, { kind: 'exhausted' });
    file.close();
    using again = create();
    assert.equal(writeSync(again.fd, block), 4096);
  });
});

it('device numbers of any size come back from the kernel', () => {
  let state = 5;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  // The kernel keeps 12 bits of major and 20 of minor.
  for (let round = 0; round < 200; round++) {
    const [major, minor, type] = [random(4096), random(1 << 20), random(2) ? 0o020000 : 0o060000];
    at.mknodat(dir, 'node', type | 0o600, major, minor);
    const { rdevMajor, rdevMinor, mode } = at.fstatat(dir, 'node');
    at.unlinkat(dir, 'node');
    assert.deepEqual([rdevMajor, rdevMinor, mode & 0o170000], [major, minor, type]);
  }
});

it('times of any sign come back to the nanosecond', () => {
  using file = openat2(dir, 'file', { flags: O.PATH });
  for (const nanos of [
    0n,
    1n,
    -1n,
    999_999_999n,
    -999_999_999n,
    -1_000_000_000n,
    2_000_000_000_000_000_007n,
  ]) {
    at.utimensat(dir, 'file', { atimeNs: nanos, mtimeNs: -nanos });
    const { atimeNs, mtimeNs } = at.fstatat(file, '');
    assert.deepEqual([atimeNs, mtimeNs], [nanos, -nanos]);
  }
});
