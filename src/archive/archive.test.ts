import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { isKind } from '../base/index.ts';
import { digestOf } from '../oci/index.ts';
import { lgetxattr, llistxattr, lremovexattr, lsetxattr } from '../sys/index.ts';
import {
  applyLayer,
  decompress,
  packTree,
  readTar,
  sniffCompression,
  type TarEntry,
  TarPacker,
  unpackLayer,
  writeTar,
} from './index.ts';

function scratch() {
  const dir = mkdtempSync('/var/tmp/wharf-archive-');
  mkdirSync(join(dir, 'in'));
  mkdirSync(join(dir, 'out'));
  return {
    dir,
    in: join(dir, 'in'),
    out: join(dir, 'out'),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

async function* pieces(bytes: Uint8Array, size = bytes.byteLength): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}
async function whole(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A tree with one of everything that a layer can hold. */
function fill(root: string): void {
  const at = (path: string) => join(root, path);
  mkdirSync(at('dir/empty'), { recursive: true });
  mkdirSync(at('sticky'));
  chmodSync(at('sticky'), 0o1777);
  writeFileSync(at('dir/file'), 'content');
  writeFileSync(at('dir/big'), Buffer.alloc(700_001, 'abc'));
  writeFileSync(at('setuid'), 'x');
  chownSync(at('setuid'), 1234, 3_000_000);
  chmodSync(at('setuid'), 0o4755);
  symlinkSync('../elsewhere/that/does/not/exist', at('dir/link'));
  symlinkSync(`/${'long/'.repeat(40)}target`, at('longlink'));
  linkSync(at('dir/file'), at('second-name'));
  const long = `${'directory-with-a-long-name/'.repeat(6)}`;
  mkdirSync(at(long), { recursive: true });
  writeFileSync(at(`${long}file-with-ümläut-and-😀`), 'ü');
  execFileSync('mkfifo', ['-m', '640', at('fifo')]);
  execFileSync('mknod', ['-m', '600', at('null'), 'c', '1', '3']);
  lsetxattr(at('dir/file'), 'user.note', Buffer.from([0, 1, 10, 61, 255]));
  // cap_net_raw+ep, VFS_CAP_REVISION_2.
  lsetxattr(
    at('setuid'),
    'security.capability',
    Buffer.from('0100000200200000000000000000000000000000', 'hex'),
  );
  lsetxattr(at('dir'), 'user.dir', Buffer.from('d'));
  execFileSync('touch', [
    '-h',
    '-d',
    '2001-02-03 04:05:06.123456789',
    at('dir/big'),
    at('dir/link'),
    at('fifo'),
  ]);
  execFileSync('touch', ['-d', '1969-12-31 23:59:58.5', at('null')]);
  execFileSync('touch', ['-d', '2011-01-01 00:00:00', at('dir/empty'), at('dir'), at('sticky')]);
}

/** What matters of a tree, by path. */
function describe(root: string, path = '.'): string[] {
  const full = join(root, path);
  const stat = lstatSync(full, { bigint: true });
  const xattrs = stat.isSymbolicLink()
    ? []
    : llistxattr(full)
        .filter((name) => !name.startsWith('security.selinux'))
        .sort();
  const own = [
    path,
    stat.mode.toString(8),
    stat.uid,
    stat.gid,
    stat.isFile() ? stat.size : '',
    stat.isDirectory() ? '' : stat.nlink,
    stat.rdev,
    path === '.' ? '' : stat.mtimeNs,
    ...xattrs.map((name) => `${name}=${lgetxattr(full, name)?.toString('hex')}`),
    stat.isFile() ? digestOf(readFileSync(full)) : '',
  ].join(' ');
  return stat.isDirectory()
    ? [
        own,
        ...readdirSync(full)
          .sort()
          .flatMap((name) => describe(root, join(path, name))),
      ]
    : [own];
}

test('a tree packed and unpacked is the same tree, to the nanosecond', async () => {
  using home = scratch();
  fill(home.in);
  const tar = await whole(packTree(home.in, { mode: 'tree' }));
  await applyLayer(pieces(tar, 1000), home.out);
  assert.deepEqual(describe(home.out).slice(1), describe(home.in).slice(1));
});

test('packing is deterministic', async () => {
  using home = scratch();
  fill(home.in);
  const [one, two] = [
    await whole(packTree(home.in, { mode: 'tree' })),
    await whole(packTree(home.in, { mode: 'tree' })),
  ];
  assert.ok(one.equals(two));
});

test('GNU tar unpacks what we pack', async () => {
  using home = scratch();
  fill(home.in);
  const tar = await whole(packTree(home.in, { mode: 'tree' }));
  const args = ['-x', '--xattrs', '--xattrs-include=*', '-p', '--numeric-owner', '-C', home.out];
  const { status, stderr } = spawnSync('tar', args, { input: tar, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.deepEqual(describe(home.out).slice(1), describe(home.in).slice(1));
});

for (const [format, precise] of [
  ['pax', true],
  ['gnu', false],
  ['posix', true],
] as const) {
  test(`we unpack what GNU tar packs as ${format}`, async () => {
    using home = scratch();
    fill(home.in);
    if (!precise) {
      execFileSync('find', [home.in, '-exec', 'touch', '-h', '-d', '2020-01-01 00:00:00', '{}', '+']);
      lremovexattr(join(home.in, 'dir/file'), 'user.note');
      lremovexattr(join(home.in, 'dir'), 'user.dir');
      lremovexattr(join(home.in, 'setuid'), 'security.capability');
    }
    const args = ['-c', `--format=${format}`, '--numeric-owner', '-C', home.in, '.'];
    if (precise) args.unshift('--xattrs', '--xattrs-include=*');
    await applyLayer(pieces(execFileSync('tar', args, { maxBuffer: 1 << 26 }), 513), home.out);
    assert.deepEqual(describe(home.out), describe(home.in));
  });
}

test('reads entries and their content in pieces of any size', async () => {
  const tar = new TarPacker()
    .add({ name: 'a', body: Buffer.from('hello') })
    .add({ name: 'd/' })
    .add({ name: 'b', body: Buffer.alloc(2000, 'x') })
    .finish();
  for (const size of [1, 7, 511, 512, 513, 5000]) {
    const seen: string[] = [];
    for await (const entry of readTar(pieces(tar, size))) {
      // The second file is left unread, and the reading goes on behind it.
      const body = entry.name === 'a' ? String(await whole(entry.body)) : '';
      seen.push(`${entry.type} ${entry.name} ${entry.size} ${body}`);
    }
    assert.deepEqual(seen, ['file a 5 hello', 'directory d/ 0 ', 'file b 2000 '], String(size));
  }
});

test('leaving the reading early closes the source', async () => {
  let closed = false;
  async function* source() {
    try {
      yield new TarPacker().add({ name: 'a' }).add({ name: 'b' }).finish();
    } finally {
      closed = true;
    }
  }
  for await (const _entry of readTar(source())) break;
  assert.ok(closed);
});

test('an empty stream and an archive without its end are read', async () => {
  const names = async (bytes: Buffer) => {
    const all: string[] = [];
    for await (const entry of readTar(pieces(bytes))) all.push(entry.name);
    return all;
  };
  assert.deepEqual(await names(Buffer.alloc(0)), []);
  assert.deepEqual(await names(Buffer.alloc(1024)), []);
  const tar = new TarPacker().add({ name: 'a' }).finish();
  assert.deepEqual(await names(tar.subarray(0, 512)), ['a']);
  assert.deepEqual(
    await names(Buffer.concat([tar, Buffer.from('what follows the end is nobody’s business')])),
    ['a'],
  );
});

test('writeTar streams bodies and refuses a wrong size', async () => {
  const body = pieces(Buffer.from('streamed'), 3);
  const tar = await whole(writeTar([{ name: 'a', size: 8, body }]));
  const entries: TarEntry[] = [];
  for await (const entry of readTar(pieces(tar))) {
    entries.push(entry);
    assert.equal(String(await whole(entry.body)), 'streamed');
  }
  assert.equal(entries.length, 1);
  await assert.rejects(whole(writeTar([{ name: 'a', size: 9, body: pieces(Buffer.from('x')) }])), (thrown) =>
    isKind(thrown, 'internal'),
  );
});

test('large numbers and old times survive', async () => {
  const given = { name: 'a', uid: 4_294_967_294, gid: 2_097_152, mtimeNs: -1_500_000_001n, mode: 0o6711 };
  for await (const entry of readTar(pieces(new TarPacker().add(given).finish()))) {
    assert.equal(entry.uid, given.uid);
    assert.equal(entry.gid, given.gid);
    assert.equal(entry.mtimeNs, given.mtimeNs);
    assert.equal(entry.mode, given.mode);
  }
});

test('whiteouts become overlay’s, and the upper packs to the same layer again', async () => {
  using home = scratch();
  const overlayXattrs = new Map(
    ['trusted.overlay.redirect', 'user.overlay.opaque', 'trusted.overlay.overlay.opaque', 'user.kept'].map(
      (name) => [name, Buffer.from('y')],
    ),
  );
  const tar = new TarPacker()
    .add({ name: 'gone-dir/' })
    .add({ name: 'gone-dir/.wh.gone', mode: 0o600 })
    .add({ name: 'hidden/' })
    .add({ name: 'hidden/.wh..wh..opq', mode: 0o600 })
    .add({ name: 'hidden/new', body: Buffer.from('n') })
    .add({ name: 'plain', xattrs: overlayXattrs, mtimeNs: 5n })
    .finish();
  await applyLayer(pieces(tar), home.out);
  const white = lstatSync(join(home.out, 'gone-dir/gone'));
  assert.ok(white.isCharacterDevice() && white.rdev === 0);
  assert.equal(lgetxattr(join(home.out, 'hidden'), 'trusted.overlay.opaque')?.toString(), 'y');
  assert.deepEqual(llistxattr(join(home.out, 'plain')), ['user.kept']);
  const names: string[] = [];
  for await (const entry of readTar(packTree(home.out, { mode: 'overlay-upper' }))) names.push(entry.name);
  assert.deepEqual(names, [
    'gone-dir/',
    'gone-dir/.wh.gone',
    'hidden/',
    'hidden/.wh..wh..opq',
    'hidden/new',
    'plain',
  ]);
});

test('a file whose name no layer can hold is refused while it is packed, not when the layer is needed', async () => {
  for (const [name, isDirectory] of [
    ['.wh.', false],
    ['.wh..', false],
    ['.wh...', false],
    ['.wh.x', true],
  ] as const) {
    using home = scratch();
    mkdirSync(join(home.out, 'd'));
    if (isDirectory) mkdirSync(join(home.out, 'd', name));
    else writeFileSync(join(home.out, 'd', name), '');
    const packed = async (mode: 'tree' | 'overlay-upper') => {
      const names: string[] = [];
      for await (const entry of readTar(packTree(home.out, { mode }))) names.push(entry.name);
      return names.length;
    };
    await assert.rejects(packed('overlay-upper'), {
      kind: 'invalid',
      message: `invalid whiteout entry "d/${name}"`,
    });
    assert.equal(await packed('tree'), 2);
  }
});

test('a whiteout hides what lies below, and not what its own layer brings', async () => {
  using home = scratch();
  const tar = new TarPacker()
    .add({ name: 'file', body: Buffer.from('mine') })
    .add({ name: '.wh.file', type: 'file' })
    .add({ name: 'd/x', body: Buffer.from('mine') })
    .add({ name: '.wh.d', type: 'file' })
    .add({ name: '.wh.e', type: 'file' })
    .add({ name: 'e/' })
    .add({ name: '.wh.f', type: 'file' })
    .add({ name: 'f', body: Buffer.from('new') })
    .finish();
  await applyLayer(pieces(tar), home.out);
  assert.equal(readFileSync(join(home.out, 'file'), 'utf8'), 'mine');
  assert.equal(readFileSync(join(home.out, 'd/x'), 'utf8'), 'mine');
  assert.equal(readFileSync(join(home.out, 'f'), 'utf8'), 'new');
  for (const name of ['d', 'e'])
    assert.equal(lgetxattr(join(home.out, name), 'trusted.overlay.opaque')?.toString(), 'y', name);
});

test('plain form takes names that look like whiteouts as they are', async () => {
  using home = scratch();
  await applyLayer(
    pieces(new TarPacker().add({ name: '.wh.file', body: Buffer.from('x') }).finish()),
    home.out,
    { form: 'plain' },
  );
  assert.equal(readFileSync(join(home.out, '.wh.file'), 'utf8'), 'x');
});

test('the last entry of a name wins, whatever it replaces', async () => {
  using home = scratch();
  const tar = new TarPacker()
    .add({ name: 'a', body: Buffer.from('1') })
    .add({ name: 'a', body: Buffer.from('22') })
    .add({ name: 'b/c/d', body: Buffer.from('x') })
    .add({ name: 'b', body: Buffer.from('file') })
    .add({ name: 'c', body: Buffer.from('file') })
    .add({ name: 'c/' })
    .add({ name: 'c/in', body: Buffer.from('in') })
    .add({ name: 'l', type: 'symlink', linkName: 'c' })
    .add({ name: 'l/through', body: Buffer.from('t') })
    .add({ name: 'a', type: 'link', linkName: 'a' })
    .finish();
  await applyLayer(pieces(tar), home.out);
  assert.equal(readFileSync(join(home.out, 'a'), 'utf8'), '22');
  assert.equal(readFileSync(join(home.out, 'b'), 'utf8'), 'file');
  assert.deepEqual(readdirSync(join(home.out, 'c')).sort(), ['in', 'through']);
});

test('gzip, gzip of many members, zstd and plain are told apart and undone', async () => {
  const plain = new TarPacker().add({ name: 'a', body: Buffer.alloc(100_000, 'abc') }).finish();
  const half = plain.length >> 1;
  const forms: [string, Buffer][] = [
    ['none', plain],
    ['gzip', gzipSync(plain)],
    ['zstd', zstdCompressSync(plain)],
    ['gzip', Buffer.concat([gzipSync(plain.subarray(0, half)), gzipSync(plain.subarray(half))])],
    [
      'zstd',
      Buffer.concat([zstdCompressSync(plain.subarray(0, half)), zstdCompressSync(plain.subarray(half))]),
    ],
  ];
  for (const [name, bytes] of forms) {
    assert.equal(sniffCompression(bytes), name);
    for (const size of [1 << 20, 997]) {
      assert.ok((await whole(decompress(pieces(bytes, size)))).equals(plain), `${name} in pieces of ${size}`);
    }
  }
  assert.equal((await whole(decompress(pieces(Buffer.alloc(0))))).length, 0);
});

test('unpackLayer gives and checks the diffID', async () => {
  using home = scratch();
  const tar = new TarPacker().add({ name: 'a', body: Buffer.alloc(300_000, 'x') }).finish();
  const file = join(home.dir, 'layer');
  writeFileSync(file, gzipSync(tar));
  const expected = { diffId: digestOf(tar), bytes: tar.length, fileBytes: 300_000 };
  assert.deepEqual(
    await unpackLayer({ source: file, target: home.out, expectedDiffId: expected.diffId }),
    expected,
  );
  assert.equal(readFileSync(join(home.out, 'a')).length, 300_000);
  const wrong = unpackLayer({ source: file, target: home.out, expectedDiffId: digestOf('other') });
  await assert.rejects(wrong, (thrown) => isKind(thrown, 'corrupt'));
  await assert.rejects(unpackLayer({ source: join(home.dir, 'missing'), target: home.out }));
});

test('the bytes of files are counted as they are in the end: links once, replaced files not', async () => {
  using home = scratch();
  const file = (name: string, size: number) => ({ name, body: Buffer.alloc(size, 'x') });
  const tar = new TarPacker()
    .add(file('a', 1000))
    .add({ name: 'hard', type: 'link', linkName: 'a' })
    .add({ name: 'soft', type: 'symlink', linkName: 'abcde' })
    .add(file('twice', 70_000))
    .add(file('twice', 30))
    .add(file('dir/one', 500))
    .add(file('dir/two', 400))
    .add({ name: 'dir', type: 'symlink', linkName: 'a' })
    .add({ name: '.wh.gone' })
    .add({ name: 'null', type: 'char', devMajor: 1, devMinor: 3 })
    .finish();
  writeFileSync(join(home.dir, 'layer'), tar);
  const { fileBytes } = await unpackLayer({ source: join(home.dir, 'layer'), target: home.out });
  assert.equal(fileBytes, 1000 + 5 + 30 + 1);
});
