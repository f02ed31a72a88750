import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fstatat, isErrno, mount, O, openInRoot, umount } from '../sys/index.ts';
import { locate, type TreeView } from './index.ts';
import { descriptors, place } from './testing/views.ts';

/** Where a path leads: its resolved path and what is there. */
function found(view: TreeView, path: string, followLast = false): [path: string, inode: bigint | undefined] {
  using located = locate(view, path, { followLast });
  return [located.path, located.stat?.ino];
}

function inode(path: string): bigint {
  return lstatSync(path, { bigint: true }).ino;
}

const refused =
  (...codes: string[]) =>
  (thrown: unknown) =>
    isErrno(thrown, ...codes);

describe('a path of a view', () => {
  it('is walked inside the root, whatever links and dots say', () => {
    using home = place();
    mkdirSync(join(home.root, 'a/b'), { recursive: true });
    writeFileSync(join(home.root, 'a/b/file'), 'x');
    symlinkSync('/a/b', join(home.root, 'absolute'));
    symlinkSync('../../../../a', join(home.root, 'a/up'));
    symlinkSync('absolute/file', join(home.root, 'chain'));
    const view = home.view();
    const file = inode(join(home.root, 'a/b/file'));
    for (const path of ['a/b/file', '/a/b/file', '//a/./b//file', '/../../a/b/file', '/a/b/../b/file'])
      assert.deepEqual(found(view, path), ['/a/b/file', file], path);
    for (const path of ['/absolute/file', '/a/up/b/file', '/absolute/../b/file', '/a/up/up/up/b/file'])
      assert.deepEqual(found(view, path), ['/a/b/file', file], path);
    assert.deepEqual(found(view, '/chain', true), ['/a/b/file', file]);
    assert.deepEqual(found(view, '/chain'), ['/chain', inode(join(home.root, 'chain'))]);
    assert.deepEqual(found(view, '/absolute/'), ['/a/b', inode(join(home.root, 'a/b'))]);
    for (const path of ['/', '', '.', '..', '/../..', '/a/..'])
      assert.deepEqual(found(view, path), ['/', inode(home.root)], path);
  });

  it('says its parent, its name, and the text of a link', () => {
    using home = place();
    mkdirSync(join(home.root, 'a'));
    symlinkSync('nowhere', join(home.root, 'a/link'));
    const view = home.view();
    using link = locate(view, '/a/link', { followLast: false });
    assert.deepEqual([link.name, link.linkTarget, link.mounted], ['link', 'nowhere', false]);
    assert.equal(fstatat(link.parent, '').ino, inode(join(home.root, 'a')));
    using root = locate(view, '/', { followLast: false });
    assert.deepEqual([root.name, root.path], ['', '/']);
    assert.equal(fstatat(root.parent, '').ino, inode(home.root));
  });

  it('may have nothing in its last place, also behind a link', () => {
    using home = place();
    mkdirSync(join(home.root, 'a'));
    symlinkSync('/a/missing', join(home.root, 'dangling'));
    const view = home.view();
    for (const [path, leads] of [
      ['/a/none', '/a/none'],
      ['/a/none/', '/a/none'],
      ['/none', '/none'],
      ['/dangling', '/a/missing'],
    ] as const) {
      using located = locate(view, path, { followLast: true });
      assert.deepEqual([located.path, located.fd, located.stat], [leads, undefined, undefined]);
    }
  });

  it('is refused with what stands in its way', () => {
    using home = place();
    writeFileSync(join(home.root, 'file'), 'x');
    symlinkSync('loop', join(home.root, 'loop'));
    symlinkSync('two', join(home.root, 'one'));
    symlinkSync('one', join(home.root, 'two'));
    const view = home.view();
    const before = descriptors();
    const go = (path: string) => () => locate(view, path, { followLast: true });
    assert.throws(go('/none/x'), refused('ENOENT'));
    assert.throws(go('/file/x'), refused('ENOTDIR'));
    assert.throws(go('/file/'), refused('ENOTDIR'));
    assert.throws(go('/file/..'), refused('ENOTDIR'));
    assert.throws(go('/loop'), refused('ELOOP'));
    assert.throws(go('/one/x'), refused('ELOOP'));
    assert.throws(go(`/${'n'.repeat(300)}`), refused('ENAMETOOLONG'));
    assert.equal(descriptors(), before, 'nothing stays open');
  });

  it('does not hold more descriptors than a path has names, whatever links add', () => {
    using home = place();
    let deep = home.root;
    for (let depth = 0; depth < 60; depth++) deep = join(deep, 'd'.repeat(30));
    mkdirSync(deep, { recursive: true });
    // Each time through the link the path gets 1,860 bytes longer.
    symlinkSync('/', join(deep, 'again'));
    symlinkSync(`.${`/${'d'.repeat(30)}`.repeat(60)}`, join(home.root, 'down'));
    assert.equal(found(home.view(), '/down/again/down/again/down', true)[1], inode(deep));
  });
});

describe('mounts of a view', () => {
  it('are stepped onto, also by links and dots, deeper ones before others', () => {
    using home = place();
    for (const path of ['root/vol/deep', 'root/run', 'one/deep', 'two/sub'])
      mkdirSync(join(home.top, path), { recursive: true });
    writeFileSync(join(home.two, 'sub/file'), 'x');
    symlinkSync('/run', join(home.root, 'var-run'));
    symlinkSync('../vol/deep/sub', join(home.root, 'run/link'));
    const view = home.view(['/vol/deep', home.two], ['/vol', home.one], ['/var-run/here', home.one, true]);
    assert.equal(found(view, '/vol')[1], inode(home.one));
    assert.equal(found(view, '/vol/deep')[1], inode(home.two));
    assert.deepEqual(found(view, '/run/link/file'), [
      '/vol/deep/sub/file',
      inode(join(home.two, 'sub/file')),
    ]);
    assert.deepEqual(found(view, '/vol/deep/../../vol/deep/sub/..'), ['/vol/deep', inode(home.two)]);
    // Named through a link, and not there in the root.
    using here = locate(view, '/run/here', { followLast: false });
    assert.deepEqual([here.path, here.readOnly, here.mounted], ['/run/here', true, true]);
  });

  it('may be files, and hide what is below them', () => {
    using home = place();
    mkdirSync(join(home.root, 'etc/hidden'), { recursive: true });
    writeFileSync(join(home.root, 'etc/hosts'), 'image');
    writeFileSync(join(home.one, 'hosts'), 'host');
    const view = home.view(['/etc/hosts', join(home.one, 'hosts')], ['/etc/hidden', home.two]);
    assert.equal(found(view, '/etc/hosts')[1], inode(join(home.one, 'hosts')));
    assert.throws(() => locate(view, '/etc/hosts/x', { followLast: false }), refused('ENOTDIR'));
  });

  it('say what is read-only: the nearest one, or the root', () => {
    using home = place();
    mkdirSync(join(home.one, 'inner'), { recursive: true });
    const view = { ...home.view(['/ro', home.one, true], ['/ro/inner', home.two]), readOnly: true };
    const readOnly = (path: string) => {
      using located = locate(view, path, { followLast: true });
      return located.readOnly;
    };
    assert.deepEqual(['/', '/x', '/ro', '/ro/x', '/ro/inner', '/ro/inner/x'].map(readOnly), [
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it('links on a mount lead through the view, not through the host', () => {
    using home = place();
    mkdirSync(join(home.root, 'etc'));
    writeFileSync(join(home.root, 'etc/file'), 'container');
    symlinkSync(join(home.canary, 'file'), join(home.one, 'evil'));
    symlinkSync('../../../../../etc/file', join(home.one, 'up'));
    const view = home.view(['/vol', home.one]);
    assert.throws(() => locate(view, '/vol/evil', { followLast: true }), refused('ENOENT'));
    assert.deepEqual(found(view, '/vol/up', true), ['/etc/file', inode(join(home.root, 'etc/file'))]);
  });

  it('through a loop of links have no place, and the rest of the view works', () => {
    using home = place();
    symlinkSync('loop', join(home.root, 'loop'));
    const view = home.view(['/loop/x', home.one], ['/none/x/y', home.one], ['/ok', home.two]);
    assert.equal(found(view, '/ok')[1], inode(home.two));
  });
});

describe('against the kernel', () => {
  const random = (seed: number) => () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return seed / 2 ** 32;
  };

  /** Fills a folder with folders, files and links between them. */
  function grow(folder: string, next: () => number, depth: number): void {
    const names = ['a', 'b', 'c', 'd'];
    const some = () => names[Math.floor(next() * names.length)] as string;
    for (const name of names) {
      const kind = next();
      const path = join(folder, name);
      if (kind < 0.4 && depth > 0) {
        mkdirSync(path);
        grow(path, next, depth - 1);
      } else if (kind < 0.55) writeFileSync(path, name);
      else if (kind < 0.9) {
        const text = Array.from({ length: 1 + Math.floor(next() * 3) }, () =>
          next() < 0.3 ? '..' : some(),
        ).join('/');
        symlinkSync(next() < 0.4 ? `/${text}` : text, path);
      }
    }
  }

  it('thousands of random paths lead where they lead in a chroot with the same mounts', () => {
    let reached = 0;
    for (let seed = 1; seed <= 12; seed++) {
      using home = place();
      const next = random(seed);
      for (const folder of [home.root, home.one, home.two]) grow(folder, next, 3);
      for (const path of ['m', 'm/n']) rmSync(join(home.root, path), { recursive: true, force: true });
      mkdirSync(join(home.root, 'm'));
      mkdirSync(join(home.one, 'n'));
      const view = home.view(['/m', home.one], ['/m/n', home.two]);
      mount({ source: home.one, target: join(home.root, 'm'), flags: ['bind'] });
      mount({ source: home.two, target: join(home.root, 'm/n'), flags: ['bind'] });
      try {
        const names = ['a', 'b', 'c', 'd', 'm', 'n', '..', '.'];
        for (let turn = 0; turn < 400; turn++) {
          const path = Array.from(
            { length: 1 + Math.floor(next() * 6) },
            () => names[Math.floor(next() * 8)],
          ).join('/');
          const expected = attempt(() => {
            using fd = openInRoot(home.root, path, O.PATH);
            return fstatat(fd, '').ino;
          });
          const got = attempt(() => found(view, path, true)[1] ?? 'none');
          // More links than the kernel takes are fine, as in Docker.
          if (expected === 'ELOOP') continue;
          // Beside mounts and renames of other tests the kernel may not be sure of a "..", and says so (openat2(2)).
          if (expected === 'EAGAIN') continue;
          assert.equal(got === 'none' ? 'ENOENT' : got, expected, `seed ${seed}: ${path}`);
          if (typeof expected === 'bigint') reached += 1;
        }
      } finally {
        umount(join(home.root, 'm/n'));
        umount(join(home.root, 'm'));
      }
    }
    assert.ok(reached > 500, `${reached} paths led somewhere`);
  });

  function attempt<T>(work: () => T): T | string {
    try {
      return work();
    } catch (thrown) {
      return ((thrown as Error).cause as { code?: string } | undefined)?.code ?? String(thrown);
    }
  }

  it('nothing is opened but by O_PATH: devices and FIFOs are not touched', () => {
    using home = place();
    writeFileSync(join(home.root, 'x'), '');
    const before = readdirSync('/proc/self/fd').length;
    for (let at = 0; at < 100; at++) locate(home.view(), '/x', { followLast: true })[Symbol.dispose]();
    assert.equal(readdirSync('/proc/self/fd').length - before, 100, 'the views themselves, and no more');
    assert.ok(statSync(home.root).isDirectory());
  });
});
