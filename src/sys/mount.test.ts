import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
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
import { mount, statfs, umount, umountIfMounted, umountLater } from './mount.ts';
import { type MountInfo, mountInfo, parseMountInfo } from './mount-info.ts';

let base: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf mount-'));
});
afterEach(() => {
  const below = mountInfo().filter(({ mountPoint }) => mountPoint.startsWith(base));
  for (const { mountPoint } of below.reverse()) umountIfMounted(mountPoint, { detach: true });
  rmSync(base, { recursive: true, force: true });
});

function at(mountPoint: string): MountInfo | undefined {
  return mountInfo().findLast((mount) => mount.mountPoint === mountPoint);
}

function directory(name: string): string {
  const path = join(base, name);
  mkdirSync(path);
  return path;
}

describe('mount', () => {
  it('mounts a file system with options, finds it, unmounts it', () => {
    const target = directory('t');
    mount({
      source: 'some name',
      target,
      type: 'tmpfs',
      flags: ['nosuid', 'nodev', 'noexec'],
      data: 'size=64k,mode=0750',
    });
    const found = at(target);
    assert.equal(found?.fsType, 'tmpfs');
    assert.equal(found?.source, 'some name');
    assert.deepEqual(
      ['nosuid', 'nodev', 'noexec'].filter((word) => !found?.options.includes(word)),
      [],
    );
    assert.ok(found?.superOptions.includes('size=64k'));
    assert.equal(statfs(target).type, 0x01021994);
    umount(target);
    assert.equal(at(target), undefined);
  });

  it('makes a bind read-only at once, and private', () => {
    const [source, target] = [directory('s'), directory('t')];
    mount({ source, target, flags: ['rbind', 'ro', 'nosuid', 'rprivate'] });
    assert.ok(at(target)?.options.includes('ro'));
    assert.ok(at(target)?.options.includes('nosuid'));
    assert.deepEqual(at(target)?.optional, []);
    assert.throws(
      () => writeFileSync(join(target, 'x'), ''),
      (e) => (e as NodeJS.ErrnoException).code === 'EROFS',
    );
    writeFileSync(join(source, 'x'), '');
    mount({ source: 'none', target, flags: ['remount', 'bind', 'rw'] });
    assert.ok(at(target)?.options.includes('rw'));
  });

  it('changes propagation alone', () => {
    const target = directory('t');
    mount({ source: 'tmpfs', target, type: 'tmpfs', flags: ['shared'] });
    assert.match(at(target)?.optional[0] ?? '', /^shared:\d+$/);
    mount({ source: 'none', target, flags: ['rprivate'] });
    assert.deepEqual(at(target)?.optional, []);
  });

  it('mounts an overlay', () => {
    const [lower, upper, work, target] = ['l', 'u', 'w', 't'].map(directory) as [
      string,
      string,
      string,
      string,
    ];
    writeFileSync(join(lower, 'from-below'), '');
    const quoted = (path: string) => path.replace(/[\\,:]/g, '\\$&');
    const data = `lowerdir=${quoted(lower)},upperdir=${upper},workdir=${work}`;
    mount({ source: 'overlay', target, type: 'overlay', data });
    assert.ok(existsSync(join(target, 'from-below')));
    assert.equal(statfs(target).type, 0x794c7630);
    writeFileSync(join(target, 'x'), '');
  });

  it('refuses unknown words and too long options before it does anything', () => {
    const target = directory('t');
    const bad = [
      { flags: ['bind', 'toString'] },
      { flags: ['size=1k'] },
      { type: 'tmpfs', data: 'x'.repeat(5000) },
    ];
    for (const request of bad) {
      assert.throws(
        () => mount({ source: base, target, ...request }),
        (e) => isKind(e, 'invalid'),
      );
    }
    assert.equal(at(target), undefined);
  });

  it('names the call, the path and the errno', () => {
    const target = join(base, 'none');
    assert.throws(
      () => mount({ source: 'tmpfs', target, type: 'tmpfs' }),
      (e) =>
        isKind(e, 'not-found') && (e as Error).message.includes(`mount ${target}`) && isErrno(e, 'ENOENT'),
    );
  });
});

describe('umount', () => {
  it('detaches what is busy', () => {
    const target = directory('t');
    mount({ source: 'tmpfs', target, type: 'tmpfs' });
    mkdirSync(join(target, 'inner'));
    mount({ source: 'tmpfs', target: join(target, 'inner'), type: 'tmpfs' });
    assert.throws(
      () => umount(target),
      (e) => isKind(e, 'conflict'),
    );
    umount(target, { detach: true });
    assert.equal(at(target), undefined);
    assert.equal(umountIfMounted(target), false);
    assert.equal(umountIfMounted(join(base, 'none')), false);
  });

  it('is out of the tree at once, and the loop goes on while its file system is let go of', async () => {
    const target = directory('t');
    mount({ source: 'tmpfs', target, type: 'tmpfs' });
    const gone = umountLater(target);
    assert.equal(at(target), undefined);
    await gone;
    await umountLater(target);
    await umountLater(join(base, 'none'));
    const file = join(base, 'file');
    writeFileSync(file, 'below');
    mount({ source: '/proc/version', target: file, flags: ['bind'] });
    await umountLater(file);
    assert.equal(readFileSync(file, 'utf8'), 'below');
  });

  it('does not follow a link', () => {
    const target = directory('t');
    mount({ source: 'tmpfs', target, type: 'tmpfs' });
    symlinkSync(target, join(base, 'link'));
    assert.throws(() => umount(join(base, 'link'), { detach: true }));
    assert.ok(at(target));
  });
});

it('parses escapes, optional fields and leaves out nonsense', () => {
  const [first, second, ...rest] = parseMountInfo(
    [
      '36 35 98:0 /m\\040nt1 /mnt\\134two rw,noatime shared:1 master:2 - ext3 /dev/root rw,errors=continue',
      '37 35 0:5 / /proc rw - proc  rw',
      'nonsense',
      '',
    ].join('\n'),
  );
  assert.deepEqual(first, {
    id: 36,
    parent: 35,
    major: 98,
    minor: 0,
    root: '/m nt1',
    mountPoint: '/mnt\\two',
    fsType: 'ext3',
    source: '/dev/root',
    options: ['rw', 'noatime'],
    superOptions: ['rw', 'errors=continue'],
    optional: ['shared:1', 'master:2'],
  });
  assert.equal(second?.source, '');
  assert.deepEqual(rest, []);
});
