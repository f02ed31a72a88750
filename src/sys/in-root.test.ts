import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind } from '../base/index.ts';
import { mknodat } from './at.ts';
import { isErrno } from './errno.ts';
import { O } from './fd.ts';
import { mkdirAllInRoot, readFileInRoot } from './in-root.ts';
import { openat2, openInRoot } from './openat2.ts';
import { mkfifo } from './system.ts';

let base: string;
let root: string;
let outside: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-root-'));
  root = join(base, 'root');
  outside = join(base, 'outside');
  mkdirSync(root);
  mkdirSync(outside);
  writeFileSync(join(outside, 'canary'), 'secret of the host');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const invalid = (thrown: unknown) => isKind(thrown, 'invalid');

describe('openInRoot', () => {
  it('resolves absolute links and .. from the root', () => {
    mkdirSync(join(root, 'etc'));
    writeFileSync(join(root, 'etc/file'), 'inside');
    symlinkSync('/etc', join(root, 'link'));
    symlinkSync('../../../../etc', join(root, 'up'));
    for (const path of ['link/file', '/link/file', 'up/file', '../../etc/file', '/../etc/file']) {
      using file = openInRoot(root, path, O.RDONLY);
      assert.equal(readFileSync(file.fd, 'utf8'), 'inside', path);
    }
  });

  it('opens the root for an empty path, from a path and from a descriptor', () => {
    using byPath = openInRoot(root, '', O.PATH);
    using byFd = openInRoot(byPath, '/', O.PATH);
    assert.ok(byPath.fd !== byFd.fd && byFd.fd > 2);
  });

  it('refuses magic links', () => {
    using proc = openat2('/', 'proc', { flags: O.PATH | O.DIRECTORY });
    assert.throws(
      () => openInRoot(proc, 'self/root/etc/passwd', O.RDONLY),
      (e) => isErrno(e, 'ELOOP'),
    );
    assert.throws(
      () => openInRoot(proc, 'self/fd/0', O.RDONLY),
      (e) => isErrno(e, 'ELOOP'),
    );
  });

  it('tells what is missing, and refuses a NUL in the path', () => {
    assert.throws(
      () => openInRoot(root, 'nothing', O.RDONLY),
      (e) => isKind(e, 'not-found') && isErrno(e, 'ENOENT') && /openat2 nothing/.test((e as Error).message),
    );
    assert.throws(() => openInRoot(root, 'a\0b', O.RDONLY), invalid);
  });

  it('creates with a mode, and closes on exec', () => {
    using file = openInRoot(root, 'new', O.RDWR | O.CREAT | O.EXCL, 0o600);
    assert.equal(statSync(join(root, 'new')).mode & 0o777, 0o600);
    const info = readFileSync(`/proc/self/fdinfo/${file.fd}`, 'utf8');
    assert.ok(Number.parseInt(/flags:\s+(\d+)/.exec(info)?.[1] ?? '0', 8) & O.CLOEXEC);
  });
});

describe('mkdirAllInRoot', () => {
  it('makes what is missing with mode and owner, and leaves what is there', () => {
    mkdirSync(join(root, 'a'), 0o700);
    mkdirAllInRoot(root, '/a/b/c', 0o777, { uid: 12, gid: 34 }).close();
    assert.equal(statSync(join(root, 'a')).mode & 0o777, 0o700);
    const made = statSync(join(root, 'a/b/c'));
    assert.deepEqual([made.mode & 0o777, made.uid, made.gid], [0o777, 12, 34]);
    mkdirAllInRoot(root, 'a/b/c', 0o700).close();
    assert.equal(statSync(join(root, 'a/b/c')).mode & 0o777, 0o777);
  });

  it('makes the target of a dangling link inside the root', () => {
    symlinkSync('/run', join(root, 'run-link'));
    symlinkSync(`${outside}/made`, join(root, 'absolute'));
    symlinkSync('../../../../../escaped', join(root, 'up'));
    mkdirAllInRoot(root, 'run-link/lock', 0o755).close();
    mkdirAllInRoot(root, 'absolute/x', 0o755).close();
    mkdirAllInRoot(root, 'up/x', 0o755).close();
    assert.ok(existsSync(join(root, 'run/lock')));
    assert.ok(existsSync(join(root, outside, 'made/x')));
    assert.ok(existsSync(join(root, 'escaped/x')));
    assert.deepEqual(readdirSync(outside), ['canary']);
    assert.deepEqual(readdirSync(base).sort(), ['outside', 'root']);
  });

  it('resolves .. after a link as the kernel does, and never above the root', () => {
    mkdirSync(join(root, 'deep/er'), { recursive: true });
    symlinkSync('deep/er', join(root, 'link'));
    mkdirAllInRoot(root, 'link/../beside', 0o755).close();
    assert.ok(existsSync(join(root, 'deep/beside')));
    mkdirAllInRoot(root, '../../../top', 0o755).close();
    assert.ok(existsSync(join(root, 'top')));
    assert.ok(!existsSync(join(base, 'top')));
  });

  it('stops at link loops, at files and at links into /proc', () => {
    symlinkSync('loop', join(root, 'loop'));
    assert.throws(() => mkdirAllInRoot(root, 'loop/x', 0o755));
    writeFileSync(join(root, 'file'), '');
    assert.throws(
      () => mkdirAllInRoot(root, 'file/x', 0o755),
      (e) => isErrno(e, 'ENOTDIR'),
    );
    symlinkSync('a1/n', join(root, 'a2'));
    symlinkSync('a2/n', join(root, 'a1'));
    assert.throws(() => mkdirAllInRoot(root, 'a1', 0o755));
  });

  it('returns a directory that can be used, for the root itself too', () => {
    using dir = mkdirAllInRoot(root, '/', 0o755);
    using again = openat2(dir, '.', { flags: O.RDONLY | O.DIRECTORY });
    assert.ok(again.fd > 2);
  });
});

describe('readFileInRoot', () => {
  it('reads a file, through links inside the root', () => {
    mkdirSync(join(root, 'etc'));
    writeFileSync(join(root, 'etc/real'), 'root:x:0:0');
    symlinkSync('/etc/real', join(root, 'etc/passwd'));
    assert.equal(readFileInRoot(root, '/etc/passwd', 100)?.toString(), 'root:x:0:0');
    assert.equal(readFileInRoot(root, '/etc/real', 10)?.length, 10);
  });

  it('is undefined for what is missing', () => {
    writeFileSync(join(root, 'file'), '');
    symlinkSync(join(outside, 'canary'), join(root, 'host'));
    for (const path of ['none', 'file/below', 'host', '../outside/canary']) {
      assert.equal(readFileInRoot(root, path, 100), undefined, path);
    }
  });

  it('refuses directories, FIFOs, devices and sockets without opening or blocking', () => {
    mkfifo(join(root, 'fifo'), 0o600);
    using dir = openat2('/', root, { flags: O.PATH });
    mknodat(dir, 'null', 0o020666, 1, 3);
    for (const path of ['fifo', 'null', '/'])
      assert.throws(() => readFileInRoot(root, path, 100), invalid, path);
  });

  it('refuses what is too large, however sparse', () => {
    writeFileSync(join(root, 'huge'), '');
    truncateSync(join(root, 'huge'), 2 ** 40);
    assert.throws(() => readFileInRoot(root, 'huge', 1 << 20), invalid);
    writeFileSync(join(root, 'eleven'), 'x'.repeat(11));
    assert.throws(() => readFileInRoot(root, 'eleven', 10), invalid);
  });

  it('refuses magic links and loops as invalid, and bounds files that hide their size', () => {
    symlinkSync('loop', join(root, 'loop'));
    assert.throws(() => readFileInRoot(root, 'loop', 100), invalid);
    assert.throws(() => readFileInRoot('/proc', 'self/root/etc/passwd', 1 << 20), invalid);
    assert.match(readFileInRoot('/proc', 'self/status', 1 << 16)?.toString() ?? '', /^Name:/);
    assert.throws(() => readFileInRoot('/proc', 'self/status', 10), invalid);
  });
});
