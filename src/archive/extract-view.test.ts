import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type ErrorKind, WharfError } from '../base/index.ts';
import { isErrno, lgetxattr } from '../sys/index.ts';
import { extractView, packView, type TarInput, TarPacker, type TreeView } from './index.ts';
import { descriptors, place } from './testing/views.ts';

const tar = (...list: TarInput[]) => {
  const packer = new TarPacker();
  for (const entry of list) packer.add(entry as TarInput & { body?: Uint8Array });
  return packer.finish();
};
async function* chunks(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const file = (name: string, body = 'new'): TarInput => ({ name, body: Buffer.from(body) });
const dir = (name: string, more: Partial<TarInput> = {}): TarInput => ({
  name: `${name}/`,
  type: 'directory',
  ...more,
});
const put = (view: TreeView, path: string, bytes: Uint8Array, overwriteDirNonDir = true) =>
  extractView(view, path, chunks(bytes), { overwriteDirNonDir });
const errno = (code: string) => (thrown: unknown) => isErrno(thrown, code);
const fails = (kind: ErrorKind, text: string) => (thrown: unknown) =>
  thrown instanceof WharfError && thrown.kind === kind && thrown.message === text;

describe('an archive that is extracted', () => {
  it('lands in its folder with owners, modes, times and attributes', async () => {
    using home = place();
    mkdirSync(join(home.root, 'd'));
    const xattrs = new Map([
      ['user.note', Buffer.from('n')],
      ['trusted.overlay.opaque', Buffer.from('y')],
    ]);
    const bytes = tar(
      dir('sub', { mode: 0o1750, uid: 7, gid: 4_294_967_294, mtimeNs: 5_000_000_000n, xattrs }),
      { ...file('sub/file'), mode: 0o4711, uid: 2_097_153, mtimeNs: 7_000_000_000n, xattrs },
      { name: 'sub/hard', type: 'link', linkName: 'sub/file' },
      { name: 'link', type: 'symlink', linkName: '/etc/passwd', uid: 9 },
      { name: 'fifo', type: 'fifo', mode: 0o622 },
      { name: 'char', type: 'char', devMajor: 259, devMinor: 70_000 },
      file('implied/deep/file'),
    );
    await put(home.view(), '/d', bytes);
    const at = (name: string) => lstatSync(join(home.root, 'd', name));
    assert.deepEqual(
      [at('sub').mode & 0o7777, at('sub').uid, at('sub').gid, at('sub').mtimeMs],
      [0o1750, 7, 4_294_967_294, 5000],
    );
    assert.deepEqual(
      [at('sub/file').mode & 0o7777, at('sub/file').uid, at('sub/file').mtimeMs],
      [0o4711, 2_097_153, 7000],
    );
    assert.equal(at('sub/file').ino, at('sub/hard').ino);
    assert.equal(lgetxattr(join(home.root, 'd/sub/file'), 'user.note')?.toString(), 'n');
    for (const name of ['d/sub', 'd/sub/file'])
      assert.equal(lgetxattr(join(home.root, name), 'trusted.overlay.opaque'), undefined);
    assert.deepEqual([readlinkSync(join(home.root, 'd/link')), at('link').uid], ['/etc/passwd', 9]);
    assert.deepEqual(
      [at('fifo').isFIFO(), at('fifo').mode & 0o777, at('char').isCharacterDevice()],
      [true, 0o622, true],
    );
    assert.deepEqual([at('implied/deep').mode & 0o777, at('implied/deep').uid], [0o755, 0]);
  });

  it('belongs to whom the caller says', async () => {
    using home = place();
    await extractView(home.view(), '/', chunks(tar({ ...file('x/y'), uid: 5 }, dir('z', { uid: 6 }))), {
      overwriteDirNonDir: true,
      owner: { uid: 70_000, gid: 80_000 },
    });
    for (const name of ['x', 'x/y', 'z']) {
      const { uid, gid } = lstatSync(join(home.root, name));
      assert.deepEqual([uid, gid], [70_000, 80_000], name);
    }
  });

  it('packed by gzip or zstd is unpacked; by others it is refused, and no program of anyone is run', async () => {
    using home = place();
    const view = home.view();
    const bytes = tar(file('f'));
    for (const packed of [gzipSync(bytes), zstdCompressSync(bytes)]) await put(view, '/', packed);
    assert.equal(readFileSync(join(home.root, 'f'), 'utf8'), 'new');
    await assert.rejects(
      put(view, '/', Buffer.from('fd377a585a0000000000', 'hex')),
      /compressed by xz, which is not supported/,
    );
    await assert.rejects(put(view, '/', Buffer.from('BZh91AY&SY')), /compressed by bzip2/);
    await put(view, '/', Buffer.alloc(0));
  });

  it('keeps sparse what is zeros, wherever pieces are cut', async () => {
    using home = place();
    const body = Buffer.alloc(16 << 20);
    body.write('middle', 5_000_001);
    body.fill('data', 9_000_000, 9_100_000);
    const bytes = tar(
      { name: 'sparse', body },
      { name: 'zeros', body: Buffer.alloc(4 << 20) },
      file('after'),
    );
    for (const size of [777_777, 65_536, 4096, 1 << 22]) {
      await extractView(home.view(), '/', chunks(bytes, size), { overwriteDirNonDir: true });
      assert.ok(readFileSync(join(home.root, 'sparse')).equals(body), `chunks of ${size}`);
      const { blocks } = statSync(join(home.root, 'sparse'));
      assert.ok(blocks * 512 < 200_000, `${blocks} blocks`);
      assert.deepEqual(
        [statSync(join(home.root, 'zeros')).size, statSync(join(home.root, 'zeros')).blocks],
        [4 << 20, 0],
      );
    }
  });

  it('is what was packed, through many small pieces as through large ones', async () => {
    using home = place();
    mkdirSync(join(home.root, 'from/deep'), { recursive: true });
    mkdirSync(join(home.root, 'to'));
    for (let at = 0; at < 300; at++)
      writeFileSync(join(home.root, `from/deep/${at}`), Buffer.alloc(at * 97, at + 1));
    const view = home.view();
    await extractView(view, '/to', packView(view, { path: '/from', name: 'x' }), {
      overwriteDirNonDir: true,
    });
    for (let at = 0; at < 300; at++)
      assert.ok(readFileSync(join(home.root, `to/x/deep/${at}`)).equals(Buffer.alloc(at * 97, at + 1)));
  });
});

describe('names that are not UTF-8', () => {
  it('go through an archive byte by byte, and never meet another one', async () => {
    using home = place();
    mkdirSync(join(home.root, 'from'));
    mkdirSync(join(home.root, 'to'));
    const from = Buffer.from(`${home.root}/from/`);
    const names = [
      '\xff',
      'caf\xe9',
      'caf\xc3\xa9',
      '\xed\xb2\x80',
      `long${'\xfe'.repeat(150)}`,
      'x\xf0\x9f',
    ];
    for (const name of names) writeFileSync(Buffer.concat([from, Buffer.from(name, 'latin1')]), name);
    symlinkSync(Buffer.from('target\xff', 'latin1'), Buffer.concat([from, Buffer.from('link')]));
    const view = home.view();
    await extractView(view, '/to', packView(view, { path: '/from', name: '', contentsOnly: true }), {
      overwriteDirNonDir: true,
    });
    const to = `${home.root}/to`;
    assert.deepEqual(readdirSync(to, { encoding: 'latin1' }).sort(), [...names, 'link'].sort());
    for (const name of names)
      assert.equal(
        readFileSync(Buffer.concat([Buffer.from(`${to}/`), Buffer.from(name, 'latin1')]), 'utf8'),
        name,
      );
    assert.equal(readlinkSync(`${to}/link`, { encoding: 'latin1' }), 'target\xff');
    // And are replaced and removed by them.
    await put(view, '/', tar(file('to')));
    assert.equal(readFileSync(to, 'utf8'), 'new');
  });
});

describe('folders deeper than any path', () => {
  it('are not packed, which is told, but go when a file takes their place', async () => {
    using home = place();
    const script = 'import os\nfor n in range(3000):\n os.mkdir("d" * 2)\n os.chdir("d" * 2)';
    execFileSync('python3', ['-c', script], { cwd: home.root });
    const view = home.view();
    await assert.rejects(async () => {
      for await (const _piece of packView(view, { path: '/dd', name: 'dd' }));
    }, errno('ENAMETOOLONG'));
    await put(view, '/', tar(file('dd')));
    assert.equal(readFileSync(join(home.root, 'dd'), 'utf8'), 'new');
  });
});

describe('what is there already', () => {
  it('is replaced, not written through: links, hard links and files in use keep what they had', async () => {
    using home = place();
    const at = (name: string) => join(home.root, name);
    writeFileSync(at('other'), 'old');
    symlinkSync('other', at('link'));
    linkSync(at('other'), at('hard'));
    mkdirSync(at('full/of/things'), { recursive: true });
    writeFileSync(at('was-file'), 'old');
    await put(
      home.view(),
      '/',
      tar(file('link'), file('hard'), file('full'), dir('was-file'), file('was-file/x')),
    );
    assert.equal(readFileSync(at('other'), 'utf8'), 'old');
    for (const name of ['link', 'hard', 'full', 'was-file/x'])
      assert.equal(readFileSync(at(name), 'utf8'), 'new');
    assert.equal(lstatSync(at('link')).isSymbolicLink(), false);
  });

  it('keeps what a folder has when a folder comes, and takes its owner and mode; but not for the folder itself', async () => {
    using home = place();
    mkdirSync(join(home.root, 'd/kept'), { recursive: true });
    chmodSync(join(home.root, 'd'), 0o700);
    await put(
      home.view(),
      '/d',
      tar(dir('.', { mode: 0o777, uid: 5 }), dir('kept', { mode: 0o711, uid: 6 })),
    );
    assert.deepEqual(
      [statSync(join(home.root, 'd')).mode & 0o777, statSync(join(home.root, 'd')).uid],
      [0o700, 0],
    );
    assert.deepEqual(
      [statSync(join(home.root, 'd/kept')).mode & 0o777, statSync(join(home.root, 'd/kept')).uid],
      [0o711, 6],
    );
  });

  it('is not replaced by another kind when that is not wanted, in the words of Docker', async () => {
    using home = place();
    mkdirSync(join(home.root, 'd/sub'), { recursive: true });
    symlinkSync('sub', join(home.root, 'd/ln'));
    const view = home.view();
    await assert.rejects(
      put(view, '/d', tar(file('sub')), false),
      fails('internal', 'cannot overwrite directory "sub" with non-directory "/d"'),
    );
    await assert.rejects(
      put(view, '/d', tar(dir('ln')), false),
      fails('internal', 'cannot overwrite non-directory "ln" with directory "/d"'),
    );
    await put(view, '/d', tar(file('ln'), dir('sub')), false);
    assert.equal(readFileSync(join(home.root, 'd/ln'), 'utf8'), 'new');
  });

  it('leads names through links, which stay inside the folder that is copied into', async () => {
    using home = place();
    mkdirSync(join(home.root, 'd/sub'), { recursive: true });
    mkdirSync(join(home.root, 'etc'));
    symlinkSync('sub', join(home.root, 'd/ln'));
    symlinkSync('/etc', join(home.root, 'd/abs'));
    symlinkSync('../../../etc', join(home.root, 'd/up'));
    await put(home.view(), '/d', tar(file('ln/one'), file('abs/two'), file('up/three'), file('/etc/four')));
    assert.deepEqual(readdirSync(join(home.root, 'd/sub')), ['one']);
    assert.deepEqual(readdirSync(join(home.root, 'd/etc')).sort(), ['four', 'three', 'two']);
    assert.deepEqual(readdirSync(join(home.root, 'etc')), []);
  });
});

describe('mounts that are extracted to', () => {
  it('take what is beneath them, also through links of the view', async () => {
    using home = place();
    mkdirSync(join(home.root, 'd/vol'), { recursive: true });
    symlinkSync('vol', join(home.root, 'd/ln'));
    const view = home.view(['/d/vol', home.one], ['/d/vol/deep', home.two]);
    await put(view, '/d', tar(dir('vol', { mode: 0o711 }), file('vol/a'), file('ln/b'), file('vol/deep/c')));
    assert.deepEqual(readdirSync(home.one).sort(), ['a', 'b']);
    assert.deepEqual(readdirSync(home.two), ['c']);
    assert.equal(statSync(home.one).mode & 0o777, 0o711);
    assert.deepEqual(readdirSync(join(home.root, 'd/vol')), []);
    await put(view, '/d/vol/deep', tar(file('direct')));
    assert.ok(existsSync(join(home.two, 'direct')));
  });

  it('are never replaced, nor what they are in', async () => {
    using home = place();
    mkdirSync(join(home.root, 'd/vol'), { recursive: true });
    writeFileSync(join(home.root, 'hosts'), 'image');
    writeFileSync(join(home.two, 'hosts'), 'mounted');
    const view = home.view(['/d/vol', home.one], ['/hosts', join(home.two, 'hosts')]);
    for (const bytes of [tar(file('d/vol')), tar(file('d')), tar(file('hosts')), tar(dir('hosts'))])
      await assert.rejects(put(view, '/', bytes), errno('EBUSY'));
    assert.equal(readFileSync(join(home.two, 'hosts'), 'utf8'), 'mounted');
    assert.ok(statSync(join(home.root, 'd/vol')).isDirectory());
  });

  it('and the root refuse what they are not to be written to', async () => {
    using home = place();
    mkdirSync(join(home.root, 'd/ro'), { recursive: true });
    symlinkSync('/d', join(home.two, 'out'));
    const view = { ...home.view(['/d/ro', home.one, true], ['/rw', home.two]), readOnly: true };
    for (const [path, bytes] of [
      ['/d', tar(file('ro/x'))],
      ['/d/ro', tar(file('x'))],
      ['/d', tar(dir('ro'))],
      ['/', tar(file('x'))],
      ['/', tar(file('new/x'))],
      ['/', tar(file('rw/out/x'))],
    ] as const)
      await assert.rejects(put(view, path, bytes), errno('EROFS'), path);
    await put(view, '/', tar(file('rw/x')));
    assert.deepEqual([readdirSync(home.one), readdirSync(home.two).sort()], [[], ['out', 'x']]);
  });
});

describe('the extraction', () => {
  it('refuses names and links that lead out, in the words of Docker', async () => {
    using home = place();
    mkdirSync(join(home.root, 'd'));
    const view = home.view();
    await assert.rejects(put(view, '/d', tar(file('../x'))), fails('internal', 'invalid entry name "../x"'));
    const link = (linkName: string): TarInput => ({ name: 'h', type: 'link', linkName });
    await assert.rejects(
      put(view, '/d', tar(link('../../etc/passwd'))),
      fails('internal', 'invalid hardlink target "../../etc/passwd"'),
    );
    await assert.rejects(put(view, '/d', tar(link('/etc/passwd'))), errno('ENOENT'));
    await assert.rejects(put(view, '/none', tar(file('x'))), errno('ENOENT'));
    writeFileSync(join(home.root, 'file'), 'x');
    await assert.rejects(put(view, '/file', tar(file('x'))), errno('ENOTDIR'));
    await assert.rejects(put(view, '/', tar(file('file/x'))), errno('ENOTDIR'));
    await assert.rejects(put(view, '/', tar({ ...file('x'), uid: 0xffffffff })), /which is none/);
  });

  it('ends with what is wrong, and holds nothing then', async () => {
    using home = place();
    const view = home.view();
    await put(view, '/', tar(file('warm')));
    const before = descriptors();
    const large = tar({ name: 'large', body: Buffer.alloc(3 << 20, 'x') });
    await assert.rejects(put(view, '/', large.subarray(0, 2 << 20)), /ends in the middle/);
    await assert.rejects(put(view, '/', Buffer.alloc(2000, 'x')), /not a tar/);
    await assert.rejects(
      extractView(
        view,
        '/',
        (async function* () {
          yield large.subarray(0, 1 << 20);
          throw new Error('the line broke');
        })(),
        { overwriteDirNonDir: true },
      ),
      /the line broke/,
    );
    // The thread refuses what came first while the source would go on forever.
    let left = false;
    const endless = (async function* () {
      try {
        yield Buffer.alloc(2 << 20, 'x');
        for (;;) {
          await wait(1);
          yield Buffer.alloc(1);
        }
      } finally {
        left = true;
      }
    })();
    await assert.rejects(extractView(view, '/', endless, { overwriteDirNonDir: true }), /not a tar/);
    await wait(20);
    assert.ok(left, 'the source is left');
    assert.equal(descriptors(), before);
  });

  it('is cancelled while its source says nothing', async () => {
    using home = place();
    const cancel = new AbortController();
    const silent: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
    };
    const running = extractView(home.view(), '/', silent, {
      overwriteDirNonDir: true,
      signal: cancel.signal,
    });
    setImmediate(() => cancel.abort());
    await assert.rejects(running, (thrown) => thrown instanceof WharfError && thrown.kind === 'cancelled');
    const never = extractView(home.view(), '/', silent, { overwriteDirNonDir: true, signal: cancel.signal });
    await assert.rejects(never, (thrown) => thrown instanceof WharfError && thrown.kind === 'cancelled');
  });
});
