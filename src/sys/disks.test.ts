import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  attachLoop,
  fallocate,
  isErrno,
  limitProject,
  mount,
  projectUsage,
  punchHole,
  seekData,
  seekHole,
  shutDownFilesystem,
  umountIfMounted,
} from './index.ts';

const MiB = 1 << 20;
let base: string;

before(() => {
  base = mkdtempSync('/var/tmp/wharf-disks-');
});
after(() => rmSync(base, { recursive: true, force: true }));

/** A fresh filesystem in a file, mounted; gone with the value. */
function disk(name: string, make: string[], data?: string) {
  const file = join(base, `${name}.img`);
  const target = join(base, name);
  mkdirSync(target, { recursive: true });
  writeFileSync(file, '');
  truncateSync(file, 512 * MiB);
  execFileSync(make[0] as string, [...make.slice(1), file], { stdio: 'ignore' });
  const again = () => {
    using device = attachLoop(file);
    mount({ source: device.path, target, type: make[0]?.split('.')[1] as string, ...(data ? { data } : {}) });
    return device.path;
  };
  const device = again();
  return {
    file,
    target,
    device,
    again,
    [Symbol.dispose]: () => void umountIfMounted(target, { detach: true }),
  };
}

const ext4 = (...more: string[]) => ['mkfs.ext4', '-q', '-F', ...more];

describe('a loop device', () => {
  it('shows the bytes of its file, and goes when it is closed', () => {
    const file = join(base, 'bytes');
    writeFileSync(file, Buffer.alloc(MiB, 'x'));
    {
      using device = attachLoop(file);
      const fd = openSync(device.path, 'r+');
      const read = Buffer.alloc(4096);
      readSync(fd, read);
      assert.ok(read.equals(Buffer.alloc(4096, 'x')));
      closeSync(fd);
      assert.equal(backingOf(device.path), file);
    }
    using again = attachLoop(file);
    assert.equal(backingOf(again.path), file);
  });

  it('lives on with a mount, and goes with it', () => {
    const place = disk('lives', ext4());
    assert.equal(backingOf(place.device), place.file);
    place[Symbol.dispose]();
    assert.equal(backingOf(place.device), undefined);
  });

  it('of many at once, each is another one', () => {
    const devices = Array.from({ length: 8 }, (_, at) => {
      const file = join(base, `many${at}`);
      writeFileSync(file, Buffer.alloc(MiB));
      return attachLoop(file);
    });
    assert.equal(new Set(devices.map(({ path }) => path)).size, 8);
    for (const device of devices) device[Symbol.dispose]();
  });

  it('of a file that another shows is that one, however long it was unmounted here', () => {
    const place = disk('shared', ext4());
    const fd = openSync(place.target, 'r');
    try {
      writeFileSync(join(place.target, 'file'), 'there');
      place[Symbol.dispose]();
      assert.equal(place.again(), place.device);
      assert.equal(readFileSync(join(place.target, 'file'), 'utf8'), 'there');
    } finally {
      closeSync(fd);
      place[Symbol.dispose]();
    }
    assert.equal(backingOf(place.device), undefined);
  });

  it('of another file of the same name is another one', () => {
    mkdirSync(join(base, 'elsewhere'), { recursive: true });
    const files = [join(base, 'same'), join(base, 'elsewhere/same')];
    for (const file of files) writeFileSync(file, Buffer.alloc(MiB));
    using first = attachLoop(files[0] as string);
    using second = attachLoop(files[1] as string);
    using third = attachLoop(files[0] as string);
    assert.notEqual(first.path, second.path);
    assert.equal(first.path, third.path);
  });

  it('of a missing file is refused', () => {
    assert.throws(
      () => attachLoop(join(base, 'none')),
      (thrown) => isErrno(thrown, 'ENOENT'),
    );
  });
});

function backingOf(device: string): string | undefined {
  const file = `/sys/block/${device.slice('/dev/'.length)}/loop/backing_file`;
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

describe('a project quota', () => {
  for (const [name, make] of [
    ['ext4', ext4('-O', 'quota,project', '-E', 'quotatype=prjquota')],
    ['xfs', ['mkfs.xfs', '-q', '-f']],
  ] as const) {
    it(`on ${name} limits what lies below its folder, and no other`, (t) => {
      if (!existsSync(`/usr/sbin/mkfs.${name}`)) return t.skip(`no mkfs.${name}`);
      let place: ReturnType<typeof disk>;
      try {
        place = disk(`quota-${name}`, [...make], 'prjquota');
      } catch (thrown) {
        if (isErrno(thrown, 'ENODEV', 'ESRCH', 'EINVAL', 'ENOTSUP'))
          return t.skip(`the kernel has no such ${name}`);
        throw thrown;
      }
      using _place = place;
      const [limited, free] = ['limited', 'free'].map((folder) => join(place.target, folder)) as [
        string,
        string,
      ];
      for (const folder of [limited, free]) mkdirSync(folder);
      assert.equal(limitProject(limited, 70_001, 4 * MiB), true);
      mkdirSync(join(limited, 'deep'));
      writeFileSync(join(limited, 'deep/fits'), Buffer.alloc(2 * MiB, 1));
      assert.throws(
        () => writeFileSync(join(limited, 'deep/more'), Buffer.alloc(4 * MiB, 1)),
        /ENOSPC|EDQUOT/,
      );
      writeFileSync(join(free, 'file'), Buffer.alloc(16 * MiB, 1));
      const usage = projectUsage(limited);
      assert.equal(usage?.projectId, 70_001);
      assert.equal(usage?.limit, 4 * MiB);
      assert.ok(usage.bytes >= 2 * MiB && usage.bytes <= 4 * MiB, `${usage.bytes}`);
      assert.equal(limitProject(limited, 70_001, 0), true);
      writeFileSync(join(limited, 'deep/more'), Buffer.alloc(8 * MiB, 1));
    });
  }

  it('is not there without the mount option, and nothing is changed then', () => {
    using place = disk('no-quota', ext4());
    assert.equal(limitProject(place.target, 7, MiB), false);
    assert.equal(projectUsage(place.target), undefined);
    assert.equal(limitProject('/proc', 7, MiB), false);
    assert.equal(limitProject('/dev/shm', 7, MiB), false);
  });
});

describe('a filesystem that is shut down', () => {
  it('writes nothing any more, and has what was synced when it comes back', () => {
    using place = disk('power', ext4());
    const kept = join(place.target, 'kept');
    writeFileSync(kept, 'kept', { flush: true });
    writeFileSync(join(place.target, 'lost'), 'never synced');
    shutDownFilesystem(place.target, 'no-log-flush');
    assert.throws(() => writeFileSync(join(place.target, 'more'), 'x', { flush: true }), /EIO|EROFS/);
    umountIfMounted(place.target, { detach: true });
    place.again();
    assert.equal(readFileSync(kept, 'utf8'), 'kept');
    assert.equal(existsSync(join(place.target, 'lost')), false);
  });

  it('is refused where a filesystem can not do that', () => {
    assert.throws(
      () => shutDownFilesystem('/proc', 'full'),
      (thrown) => isErrno(thrown, 'ENOTTY', 'ENOTSUP'),
    );
  });
});

describe('the space of a file', () => {
  it('is found and given back by its holes', () => {
    const fd = openSync(join(base, 'holes'), 'w+');
    writeSync(fd, Buffer.alloc(MiB, 1), 0, MiB, 0);
    writeSync(fd, Buffer.alloc(MiB, 2), 0, MiB, 8 * MiB);
    assert.equal(seekHole(fd, 0), MiB);
    assert.equal(seekData(fd, 2 * MiB), 8 * MiB);
    assert.equal(seekData(fd, 9 * MiB), undefined);
    assert.equal(seekHole(fd, 9 * MiB), undefined);
    punchHole(fd, 8 * MiB, MiB);
    assert.equal(seekData(fd, 2 * MiB), undefined);
    assert.equal(statSync(join(base, 'holes')).size, 9 * MiB);
    closeSync(fd);
  });

  it('is taken before it is written to', () => {
    const path = join(base, 'taken');
    const fd = openSync(path, 'w+');
    fallocate(fd, 0, 4 * MiB);
    const { size, blocks } = statSync(path);
    assert.deepEqual([size, blocks * 512 >= 4 * MiB], [4 * MiB, true]);
    closeSync(fd);
    assert.throws(() => fallocate(fd, 0, -1));
  });

  it('says offsets beyond 32 bits', () => {
    const fd = openSync(join(base, 'large'), 'w+');
    writeSync(fd, Buffer.from('x'), 0, 1, 2 ** 40);
    assert.equal(seekData(fd, 0), 2 ** 40);
    closeSync(fd);
  });
});
