import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { isKind, WharfError } from '../base/index.ts';
import { O, openat2 } from '../sys/index.ts';
import { applyLayer, decompress, extractView, type TarInput, TarPacker, unpackLayer } from './index.ts';
import { BLOCK, encodeHeader } from './tar-format.ts';

/** A root to unpack into, and beside it a canary that must never change. */
function place() {
  const top = mkdtempSync('/var/tmp/wharf-hostile-');
  const root = join(top, 'root');
  const canary = join(top, 'canary');
  mkdirSync(root);
  mkdirSync(join(canary, 'inner'), { recursive: true });
  writeFileSync(join(canary, 'file'), 'untouched');
  writeFileSync(join(canary, 'inner', 'file'), 'untouched');
  symlinkSync('file', join(canary, 'link'));
  return { top, root, canary, [Symbol.dispose]: () => rmSync(top, { recursive: true, force: true }) };
}

/** Everything about a tree except access times, as one hash. */
function hashTree(path: string, hash = createHash('sha256')): string {
  const stat = lstatSync(path, { bigint: true });
  hash.update(`${path}|${stat.mode}|${stat.uid}|${stat.gid}|${stat.mtimeNs}|${stat.nlink}|${stat.size}\n`);
  if (stat.isDirectory()) for (const name of readdirSync(path).sort()) hashTree(join(path, name), hash);
  else if (stat.isSymbolicLink()) hash.update(readlinkSync(path));
  else if (stat.isFile()) hash.update(readFileSync(path));
  return path.endsWith('canary') ? hash.digest('hex') : '';
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const file = (name: string, body = 'evil'): TarInput => ({ name, body: Buffer.from(body) });
const symlink = (name: string, linkName: string): TarInput => ({ name, type: 'symlink', linkName });
const hardlink = (name: string, linkName: string): TarInput => ({ name, type: 'link', linkName });
const dir = (name: string, mode = 0o777): TarInput => ({
  name: `${name}/`,
  type: 'directory',
  mode,
  uid: 7,
  gid: 7,
});
const node = (name: string, type: 'char' | 'fifo' = 'fifo'): TarInput => ({
  name,
  type,
  devMajor: 1,
  devMinor: 3,
});

/** Archives that try to reach the canary at `out`, each by another way. */
function attacks(out: string): [title: string, entries: TarInput[]][] {
  const up = '../canary';
  const deep = `${'../'.repeat(20)}${out.slice(1)}`;
  const list: [string, TarInput[]][] = [];
  for (const path of [
    out,
    up,
    deep,
    `./${up}`,
    `a/../../canary`,
    `a/b/../../../canary`,
    `/../canary`,
    `//${up}`,
    `.//../canary`,
  ]) {
    list.push(
      [`file ${path}`, [file(`${path}/file`)]],
      [`directory ${path}`, [dir(path)]],
      [`whiteout ${path}`, [file(`${path}/.wh.file`, '')]],
    );
    list.push(
      [`opaque ${path}`, [file(`${path}/.wh..wh..opq`, '')]],
      [`hard link to ${path}`, [hardlink('h', `${path}/file`), file('h')]],
    );
  }
  for (const target of [
    out,
    up,
    deep,
    '..',
    '/',
    '/proc/self/root',
    '/proc/self/cwd',
    '/proc/1/root',
    '/proc/self/fd/3',
  ]) {
    const inside = target === out || target === up || target === deep ? '' : `${out}/`;
    list.push([`through a link to ${target}`, [symlink('l', target), file(`l${inside}/file`)]]);
    list.push([`directory through a link to ${target}`, [symlink('l', target), dir(`l${inside}/inner`)]]);
    list.push([`directory over a link to ${target}`, [symlink('l', target), dir('l'), file('l/file')]]);
    list.push([
      `hard link through a link to ${target}`,
      [symlink('l', target), hardlink('h', `l${inside}/file`), file('h')],
    ]);
    list.push([
      `whiteout through a link to ${target}`,
      [symlink('l', target), file(`l${inside}/.wh.file`, '')],
    ]);
    list.push([
      `opaque through a link to ${target}`,
      [symlink('l', target), file(`l${inside}/.wh..wh..opq`, '')],
    ]);
    list.push([`node through a link to ${target}`, [symlink('l', target), node(`l${inside}/node`)]]);
    list.push([
      `cached directory swapped for a link to ${target}`,
      [dir('d'), file('d/x'), symlink('d', target), file(`d${inside}/file`)],
    ]);
    list.push([
      `implicit directory swapped for a link to ${target}`,
      [file('d/x'), symlink('d', target), file(`d${inside}/file`), dir(`d${inside}/inner`)],
    ]);
    list.push([
      `link to a link to ${target}`,
      [symlink('a', target), symlink('b', 'a'), symlink('c', 'b/.'), file(`c${inside}/file`)],
    ]);
    list.push([`file over a link to ${target}`, [symlink('l', `${target}${inside}/file`), file('l')]]);
    list.push([
      `hard link to a link to ${target}`,
      [
        symlink('l', `${target}${inside}/file`),
        hardlink('h', 'l'),
        file('h', 'x'),
        { name: 'h', mode: 0o777, uid: 9 },
      ],
    ]);
    list.push([
      `attributes by a directory over a link to ${target}`,
      [symlink('l', target), { ...dir('l'), xattrs: new Map([['user.x', Buffer.from('x')]]) }],
    ]);
  }
  list.push(
    ['node at the canary', [node(`${up}/node`, 'char')]],
    ['root as a link', [symlink('.', out), file('file')]],
    ['root as a link, empty', [symlink('./', out), file('file')]],
  );
  list.push(['links that chase each other', [symlink('a', 'b'), symlink('b', 'a'), file('a/x')]]);
  list.push([
    'nested replacement',
    [
      dir('a'),
      dir('a/b'),
      file('a/b/c'),
      symlink('a/b', '../..'),
      file('a/b/canary/file'),
      symlink('a', '..'),
      file('a/canary/file'),
    ],
  ]);
  list.push(['long climb', [file(`${'a/'.repeat(500)}${'../'.repeat(501)}canary/file`)]]);
  return list;
}

test('no archive of the corpus changes anything outside its root', async () => {
  using home = place();
  const before = hashTree(home.canary);
  const corpus = attacks(home.canary);
  assert.ok(corpus.length >= 160, String(corpus.length));
  let refused = 0;
  for (const [title, entries] of corpus) {
    for (const form of ['overlay', 'plain'] as const) {
      const root = join(home.top, 'root');
      rmSync(root, { recursive: true });
      mkdirSync(root);
      const packer = new TarPacker();
      for (const entry of entries) packer.add(entry as Parameters<TarPacker['add']>[0]);
      try {
        await applyLayer(once(packer.finish()), root, { form });
      } catch (thrown) {
        assert.ok(isKind(thrown, 'invalid') || isKind(thrown, 'corrupt'), `${title}: ${String(thrown)}`);
        refused += 1;
      }
      assert.equal(hashTree(home.canary), before, `${title} (${form}) reached the canary`);
    }
  }
  assert.ok(refused > 60, `${refused} were refused`);
});

test('nor does it through a view, with a mount in it', async () => {
  using home = place();
  const before = hashTree(home.canary);
  const root = join(home.top, 'root');
  for (const [title, entries] of attacks(home.canary)) {
    for (const name of ['in/mount', 'mounted']) mkdirSync(join(root, name), { recursive: true });
    const packer = new TarPacker();
    for (const entry of entries) packer.add(entry as Parameters<TarPacker['add']>[0]);
    using fd = openat2(root, '.', { flags: O.PATH | O.DIRECTORY });
    using mounted = openat2(root, 'mounted', { flags: O.PATH | O.DIRECTORY });
    const view = { root: fd.fd, mounts: [{ path: '/in/mount', fd: mounted.fd, readOnly: false }] };
    for (const path of ['/', '/in', '/in/mount']) {
      const refusal = extractView(view, path, once(packer.finish()), { overwriteDirNonDir: true });
      await refusal.catch((thrown) => assert.ok(thrown instanceof WharfError, `${title}: ${String(thrown)}`));
    }
    assert.equal(hashTree(home.canary), before, `${title} reached the canary`);
    rmSync(root, { recursive: true });
    mkdirSync(root);
  }
});

test('the corpus has teeth: a writer that follows names does reach the canary', () => {
  using home = place();
  const before = hashTree(home.canary);
  for (const [, entries] of attacks(home.canary)) {
    for (const entry of entries) {
      try {
        const path = `${home.root}/${entry.name}`;
        if (entry.type === 'symlink') symlinkSync(entry.linkName as string, path);
        else if (!entry.type) writeFileSync(path, 'evil', { flag: 'r+' });
      } catch {
        // Most of them fail; one that doesn't is enough.
      }
    }
  }
  assert.notEqual(hashTree(home.canary), before);
});

test('no whiteout name deletes or climbs', async () => {
  using home = place();
  const before = hashTree(home.canary);
  const names = [
    '.wh.',
    '.wh..',
    '.wh...',
    '.wh./',
    '.wh../',
    'a/.wh.',
    'a/.wh..',
    'a/.wh...',
    '.wh.a/b',
    '.wh.../canary',
    '.wh.x/../../../canary/file',
    '../.wh.canary',
  ];
  const invalid = (thrown: unknown) => isKind(thrown, 'invalid');
  for (const name of names) {
    const tar = new TarPacker().add({ name: 'a/x' }).add({ name, type: 'file' }).finish();
    await assert.rejects(applyLayer(once(tar), home.root), invalid, name);
  }
  const skipped = [
    '.wh..wh.plnk',
    '.wh..wh.plnk/1.2',
    '.wh..wh.aufs',
    '.wh..wh..opq/x',
    '.wh..wh..wh..opq',
    'a/.wh..wh.orph/x',
  ];
  for (const name of skipped)
    await applyLayer(once(new TarPacker().add({ name, type: 'file' }).finish()), home.root);
  assert.deepEqual(readdirSync(home.root), ['a']);
  assert.equal(hashTree(home.canary), before);
});

const limits = {
  maxEntries: 100,
  maxBytes: 1 << 20,
  maxRatio: 50,
  ratioFreeBytes: 1 << 16,
  maxExtensionBytes: 1 << 14,
};
const raw = (type: string, size: number) => {
  const block = encodeHeader({
    name: 'x',
    type: 'file',
    linkName: '',
    mode: 0,
    uid: 0,
    gid: 0,
    size,
    mtimeNs: 0n,
    devMajor: 0,
    devMinor: 0,
    xattrs: new Map(),
  });
  block.write(type, 156, 'latin1');
  block.write('        ', 148, 'latin1');
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
    'latin1',
  );
  return block;
};
const many = (count: number, entry: (at: number) => TarInput) => {
  const packer = new TarPacker();
  for (let at = 0; at < count; at += 1) packer.add(entry(at) as Parameters<TarPacker['add']>[0]);
  return packer.finish();
};
const pax = (text: string) =>
  Buffer.concat([
    raw('x', Buffer.byteLength(text)),
    Buffer.from(text),
    Buffer.alloc((BLOCK - (Buffer.byteLength(text) % BLOCK)) % BLOCK),
    raw('0', 0),
    Buffer.alloc(1024),
  ]);
const BOMBS: [title: string, bytes: Buffer][] = [
  ['entries', many(101, (at) => ({ name: `f${at}` }))],
  ['bytes', many(1, () => file('f', 'x'.repeat(2 << 20)))],
  ['gzip ratio', gzipSync(many(1, () => file('f', '\0'.repeat(900_000))))],
  ['zstd ratio', zstdCompressSync(many(1, () => file('f', '\0'.repeat(900_000))))],
  ['gzip in many members', Buffer.concat(Array.from({ length: 40 }, () => gzipSync(Buffer.alloc(60_000))))],
  ['a huge declared PAX header', raw('x', 8 * 2 ** 30 - 1)],
  ['a huge declared long name', raw('L', 2 ** 30)],
  [
    'endless extension headers',
    Buffer.concat(
      Array.from({ length: 200 }, () =>
        Buffer.concat([raw('x', 12), Buffer.from('12 path=abc\n'), Buffer.alloc(500)]),
      ),
    ),
  ],
  ['a long name', many(1, () => file('n'.repeat(5000)))],
  ['a long component', many(1, () => file('n'.repeat(300)))],
  ['a long link', many(1, () => symlink('l', 'n'.repeat(5000)))],
  ['a NUL in a name', pax('17 path=a\u0000bcdefg\n')],
  ['a sparse file of GNU', Buffer.concat([raw('S', 0), Buffer.alloc(1024)])],
  ['a sparse file of PAX', pax('22 GNU.sparse.major=1\n')],
  ['an unknown type', raw('Z', 0)],
  ['a volume of many', raw('M', 0)],
  ['PAX without a length', pax('path=x\n')],
  ['PAX with a short length', pax('3 path=x\n')],
  ['PAX with a long length', pax('99 path=x\n')],
  ['PAX with a negative size', pax('11 size=-1\n')],
  ['PAX with a time that is none', pax('15 mtime=never\n')],
  ['a wrong checksum', Buffer.concat([Buffer.from('y'), raw('0', 0).subarray(1), Buffer.alloc(1024)])],
  ['noise', Buffer.alloc(4096, 'noise')],
  ['cut in a header', many(1, () => file('f')).subarray(0, 300)],
  ['cut in a body', many(1, () => file('f', 'x'.repeat(1000))).subarray(0, 700)],
  ['data after the end mark’s first half', Buffer.concat([Buffer.alloc(512), raw('0', 0)])],
  [
    'a damaged gzip',
    Buffer.concat([gzipSync(Buffer.alloc(5000, 'ab')).subarray(0, 20), Buffer.alloc(40, 0xff)]),
  ],
  ['a cut gzip', gzipSync(many(3, (at) => file(`f${at}`, `${Math.PI * at}`))).subarray(0, 60)],
  ['a cut zstd', zstdCompressSync(many(3, (at) => file(`f${at}`, `${Math.PI * at}`))).subarray(0, 60)],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0])],
  ['bzip2', Buffer.from('BZh91AY&SY')],
];

for (const [title, bytes] of BOMBS) {
  test(`is refused: ${title}`, async () => {
    using home = place();
    const refused = (thrown: unknown) => isKind(thrown, 'invalid') || isKind(thrown, 'corrupt');
    await assert.rejects(applyLayer(decompress(once(bytes), limits), home.root, { limits }), refused);
    const layer = join(home.top, 'layer');
    writeFileSync(layer, bytes);
    const target = join(home.top, 'by-worker');
    mkdirSync(target);
    await assert.rejects(unpackLayer({ source: layer, target, limits }), refused);
  });
}

test('what is no tar from its first header on is said to be none; later damage is told for itself', async () => {
  using home = place();
  const other = 'archive: the input is not a tar archive (nor one packed by gzip or zstd)';
  const messageOf = (bytes: Buffer) =>
    applyLayer(decompress(once(bytes)), home.root).then(
      () => 'none',
      (thrown: Error) => thrown.message,
    );
  const passwd = Buffer.alloc(1500, 'root:x:0:0:root:/root:/bin/bash\n');
  assert.equal(await messageOf(passwd), other);
  assert.equal(await messageOf(gzipSync(passwd)), other);
  const whole = many(1, () => file('f'));
  const later = Buffer.concat([whole.subarray(0, whole.indexOf(Buffer.alloc(BLOCK), BLOCK)), passwd]);
  assert.match(await messageOf(later), /^archive: a header /);
});

test('random damage ends in an answer of ours and never outside', async () => {
  using home = place();
  const before = hashTree(home.canary);
  const good = many(6, (at) =>
    at % 2
      ? symlink(`l${at}`, '../canary')
      : { ...file(`d/f${'n'.repeat(at * 30)}`), xattrs: new Map([['user.a', Buffer.from('b')]]) },
  );
  let state = 7;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
  for (let round = 0; round < 300; round += 1) {
    const bytes = Buffer.from(good);
    for (let change = 0; change < 3; change += 1) bytes[random(bytes.length)] = random(256);
    try {
      await applyLayer(once(bytes), home.root, { limits });
    } catch (thrown) {
      assert.ok(thrown instanceof WharfError && ['invalid', 'corrupt'].includes(thrown.kind), String(thrown));
    }
  }
  assert.equal(hashTree(home.canary), before);
});

test('a worker answers a refusal with its kind', async () => {
  using home = place();
  const layer = join(home.top, 'layer');
  writeFileSync(
    layer,
    many(1, () => file('../canary/file')),
  );
  await assert.rejects(unpackLayer({ source: layer, target: home.root }), (thrown) =>
    isKind(thrown, 'invalid'),
  );
});
